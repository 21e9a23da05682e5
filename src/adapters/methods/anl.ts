import type { Activation } from '../../experiment/methods';
import type { GraphBuilder } from '../../graph/builder';
import { basis, basisCenters, basisCount, gridStep, splineNodes, type SplineSpec } from './spline';

/** The parameters of the adaptive nonlinear layer, apart from H and W. */
export interface AnlSpec extends SplineSpec {
  activation: Activation;
  fixed: boolean;
  learnable: boolean;
}

const LEAKY_SLOPE = 0.01;

/**
 * σ(z) = act(H act(z)) + W Σᵢ b(zᵢ) (AuroRA, arXiv 2505.18738, its adaptive nonlinear layer): z (…, r) → (…, r). `H`
 * (r, r) and `W` (r, G+k) are tensor names; a disabled part needs none.
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
    const n = basisCount(spec);
    const h = gridStep(spec);
    basisCenters(spec).forEach((center, b) => {
      let sum = 0;
      for (let j = 0; j < r; j++) sum += basis(spec.splineOrder, (z[j] - center) / h);
      if (sum !== 0) for (let i = 0; i < r; i++) out[i] += W[i * n + b] * sum;
    });
  }
  return out;
}

export function activate(activation: Activation, v: number): number {
  if (activation === 'tanh') return Math.tanh(v);
  if (activation === 'sigmoid') return 1 / (1 + Math.exp(-v));
  return v < 0 ? LEAKY_SLOPE * v : v;
}

/** H (r, r) and W (r, G+k) of one layer, if its σ has them. */
export interface AnlValues {
  H?: Float32Array;
  W?: Float32Array;
}

/**
 * ‖σ(0)‖² of one layer, and its contribution to the gradients of H and W, weighted by `weight`. Merged by the columns
 * of A, σ is about σ(0)1ᵀ + J A: the trained form does not have the first part.
 *
 * σ(0) = act(H·act(0)·1) + W·r·b(0), where b(0) are the spline's bases at 0.
 */
export function offsetPenalty(
  rank: number,
  { H, W }: AnlValues,
  spec: AnlSpec,
  weight: number,
): { value: number; H?: Float64Array; W?: Float64Array } {
  const at0 = activate(spec.activation, 0);
  const bases = basisCenters(spec).map((c) => rank * basis(spec.splineOrder, -c / gridStep(spec)));
  const n = basisCount(spec);
  const gradH = H && new Float64Array(rank * rank);
  const gradW = W && new Float64Array(rank * n);
  let value = 0;
  for (let i = 0; i < rank; i++) {
    const inner = H ? at0 * H.subarray(i * rank, (i + 1) * rank).reduce((sum, h) => sum + h, 0) : 0;
    const outer = H ? activate(spec.activation, inner) : 0;
    const sigma = outer + (W ? bases.reduce((sum, b, k) => sum + W[i * n + k] * b, 0) : 0);
    value += sigma * sigma;
    // Only the sigmoid of the three activations is not 0 at 0, so only its slope matters.
    const slope = outer * (1 - outer);
    if (gradH) gradH.fill(2 * weight * sigma * slope * at0, i * rank, (i + 1) * rank);
    if (gradW) bases.forEach((b, k) => (gradW[i * n + k] = 2 * weight * sigma * b));
  }
  return { value, H: gradH, W: gradW };
}
