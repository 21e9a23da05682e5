import type { Activation } from '../../experiment/methods';
import type { GraphBuilder } from '../../graph/builder';
import { basis, basisCenters, gridStep, splineNodes, splineOffset, type SplineSpec } from './spline';

/** The parameters of the adaptive nonlinear layer, apart from H and W. */
export interface AnlSpec extends SplineSpec {
  activation: Activation;
  fixed: boolean;
  learnable: boolean;
}

const LEAKY_SLOPE = 0.01;

/**
 * σ(z) = act(H act(z)) + L(z) (AuroRA, arXiv 2505.18738, its adaptive nonlinear layer): z (…, r) → (…, r). L is one of the
 * three readings in `splineNodes`. `H` (r, r) and `W` (`splineDims`) are tensor names; a disabled part needs none.
 *
 * @param rank r, unless the graph is for adapters of any rank
 */
export function anlNodes(
  g: GraphBuilder,
  z: string,
  H: string,
  W: string,
  spec: AnlSpec,
  dtype: number,
  rank?: number,
): string {
  const act = (x: string) =>
    spec.activation === 'tanh'
      ? g.op('Tanh', [x])
      : spec.activation === 'sigmoid'
        ? g.op('Sigmoid', [x])
        : g.op('LeakyRelu', [x], { alpha: { float: LEAKY_SLOPE } });
  // Products take rows as they are, in both directions.
  const rows = g.op('Flatten', [z], { axis: -1 });
  const parts: string[] = [];
  if (spec.fixed) parts.push(act(g.op('Gemm', [act(rows), H], { transB: 1 })));
  if (spec.learnable) parts.push(splineNodes(g, rows, W, spec, dtype, rank));
  const sum = parts.length === 2 ? g.op('Add', parts) : parts[0];
  return g.op('Reshape', [sum, g.op('Shape', [z])]);
}

/** The adaptive nonlinear layer on the host for one vector z of length r; float64 internally. */
export function anl(
  z: ArrayLike<number>,
  H: ArrayLike<number>,
  W: ArrayLike<number>,
  spec: AnlSpec,
): Float64Array {
  const r = z.length;
  const out = new Float64Array(r);
  if (spec.fixed) {
    const inner = Float64Array.from(z, (v) => activate(spec.activation, v));
    for (let i = 0; i < r; i++) {
      let sum = 0;
      for (let j = 0; j < r; j++) sum += H[i * r + j] * inner[j];
      out[i] += activate(spec.activation, sum);
    }
  }
  if (spec.learnable) {
    const h = gridStep(spec);
    const isShared = spec.spline === undefined || spec.spline === 'shared';
    const offset = (output: number, input: number) => splineOffset(spec, r, output, input);
    basisCenters(spec).forEach((center, b) => {
      let sum = 0;
      for (let j = 0; j < r; j++) {
        const value = basis(spec.splineOrder, (z[j] - center) / h);
        if (isShared) sum += value;
        else if (value !== 0)
          for (let i = 0; i < r; i++) {
            const at = offset(i, j);
            if (at !== undefined) out[i] += W[at + b] * value;
          }
      }
      // All inputs share the weights, so that one sum serves every output.
      if (sum !== 0) for (let i = 0; i < r; i++) out[i] += W[offset(i, 0)! + b] * sum;
    });
  }
  return out;
}

export function activate(activation: Activation, v: number): number {
  if (activation === 'tanh') return Math.tanh(v);
  if (activation === 'sigmoid') return 1 / (1 + Math.exp(-v));
  return v < 0 ? LEAKY_SLOPE * v : v;
}
