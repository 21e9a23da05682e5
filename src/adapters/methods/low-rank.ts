import type { GraphBuilder } from '../../graph/builder';
import type { LowRankSpec } from '../../experiment/methods';
import {
  kaimingUniform,
  normal,
  zeros,
  type AdapterTensor,
  type Flops,
  type LayerShape,
  type Values,
} from './method';

/** LoRA's initial A (r, in) and B (out, r): B is zero, so nothing changes at first. */
export function lowRankTensors({ inFeatures, outFeatures }: LayerShape, spec: LowRankSpec): AdapterTensor[] {
  const { rank, initialization } = spec;
  return [
    {
      name: 'A',
      dims: [rank, inFeatures],
      rankAxes: [0],
      peftName: 'lora_A.weight',
      // PEFT's "gaussian" has standard deviation 1/r.
      init: initialization === 'gaussian' ? normal(1 / rank) : kaimingUniform(inFeatures),
    },
    { name: 'B', dims: [outFeatures, rank], rankAxes: [1], peftName: 'lora_B.weight', init: zeros },
  ];
}

/** α/r, or α/√r (rsLoRA, Kalajdzievski, arXiv 2312.03732). */
export const scaleOf = ({
  alpha,
  rank,
  useRslora,
}: {
  alpha: number;
  rank: number;
  useRslora: boolean;
}): number => alpha / (useRslora ? Math.sqrt(rank) : rank);

/** The values with B set to zero. */
export const withoutB = (values: Values): Values => ({ ...values, B: new Float32Array(values.B.length) });

/** z = A x, (…, r). */
export const downProjection = (g: GraphBuilder, x: string, p: Record<string, string>): string =>
  g.op('MatMul', [x, g.op('Transpose', [p.A])]);

/** The change of a layer's output, from the input of B: (…, r) · Bᵀ, times the scale. */
export function upProjection(
  g: GraphBuilder,
  down: string,
  p: Record<string, string>,
  scale: number,
  dtype: number,
): string {
  const up = g.op('Mul', [g.op('Transpose', [p.B]), p.scale ?? g.scalar(scale, dtype)]);
  return g.op('MatMul', [down, up]);
}

/** s · B·A with B (out, r) and A (r, in), row-major, accumulated in float64. */
export function lowRankProduct(
  B: Float32Array,
  A: Float32Array,
  { inFeatures, outFeatures }: LayerShape,
  scale: number,
): Float32Array {
  const rank = B.length / outFeatures;
  const out = new Float32Array(outFeatures * inFeatures);
  for (let o = 0; o < outFeatures; o++)
    for (let i = 0; i < inFeatures; i++) {
      let sum = 0;
      for (let r = 0; r < rank; r++) sum += B[o * rank + r] * A[r * inFeatures + i];
      out[o * inFeatures + i] = scale * sum;
    }
  return out;
}

/**
 * For tensors that are each one factor of one product: 2 operations per number forward, and 4 backward: 2 for its own
 * gradient and 2 to pass the gradient on. The first adapted module passes none on, which the count ignores.
 */
export const productFlops = (numbers: number): Flops => ({ forward: 2 * numbers, backward: 4 * numbers });
