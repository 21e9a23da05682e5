import type { GraphBuilder } from '../../graph/builder';
import { type LowRankSpec, splitsWeight } from '../../experiment/methods';
import {
  kaimingUniform,
  normal,
  zeros,
  type AdapterTensor,
  type Flops,
  type LayerShape,
  type Values,
} from './method';

/**
 * LoRA's initial A (r, in) and B (out, r): B is zero, so nothing changes at first. A run replaces these values where its
 * initialization is computed from the weights or from data; then A0 and B0 are the values of A and B before the first step.
 */
export function lowRankTensors(layer: LayerShape, spec: LowRankSpec): AdapterTensor[] {
  const { inFeatures, outFeatures } = layer;
  const { rank, initialization } = spec;
  const pair: AdapterTensor[] = [
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
  if (!splitsWeight(spec)) return pair;
  const before = pair.map((t): AdapterTensor => ({
    ...t,
    name: `${t.name}0`,
    frozen: true,
    peftName: t.peftName.replace('.weight', '.start'),
  }));
  return [...pair, ...before];
}

/** Both factors of B·A − B0·A0 as those of one product of twice the rank: [B, −B0] and [A; A0]; or B and A alone. */
export function wholePair(values: Values, { outFeatures }: LayerShape): { A: Float32Array; B: Float32Array } {
  const { A, B, A0, B0 } = values;
  if (!('A0' in values)) return { A, B };
  const rank = B.length / outFeatures;
  const both = new Float32Array(2 * B.length);
  for (let o = 0; o < outFeatures; o++)
    for (let k = 0; k < rank; k++) {
      both[2 * o * rank + k] = B[o * rank + k];
      both[(2 * o + 1) * rank + k] = -B0[o * rank + k];
    }
  const rows = new Float32Array(2 * A.length);
  rows.set(A);
  rows.set(A0, A.length);
  return { A: rows, B: both };
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

/** The values with which B·A − B0·A0, or B·A alone, is zero. */
export const withoutChange = (values: Values): Values =>
  'A0' in values ? { ...values, A: values.A0, B: values.B0 } : withoutB(values);

/** z = A x, (…, r). */
export const downProjection = (g: GraphBuilder, x: string, p: Record<string, string>): string =>
  g.op('MatMul', [x, g.op('Transpose', [p.A])]);

/** s (B A x − B0 A0 x), or s B A x alone, and z. */
export function lowRankDelta(
  g: GraphBuilder,
  x: string,
  p: Record<string, string>,
  scale: number,
  dtype: number,
): { delta: string; z: string } {
  const z = downProjection(g, x, p);
  const delta = upProjection(g, z, p, scale, dtype);
  if (!p.A0) return { delta, z };
  const before = { ...p, A: p.A0, B: p.B0 };
  // By the same operators, so that the difference is exactly zero before the first step.
  const off = upProjection(g, downProjection(g, x, before), before, scale, dtype);
  return { delta: g.op('Sub', [delta, off]), z };
}

/** Operations of B A x with r(in + out) numbers, and of B0 A0 x where it is subtracted: nothing there has a gradient but x. */
export function lowRankFlops({ inFeatures, outFeatures }: LayerShape, spec: LowRankSpec): Flops {
  const numbers = spec.rank * (inFeatures + outFeatures);
  const { forward, backward } = productFlops(numbers);
  if (!splitsWeight(spec)) return { forward, backward };
  return { forward: 2 * forward + outFeatures, backward: backward + 2 * numbers };
}

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
