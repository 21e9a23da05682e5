import type { AuroraSpec, LoraSpec } from '../shared/experiment';
import type { GraphBuilder } from '../graph/builder';

export interface LayerShape {
  inFeatures: number;
  outFeatures: number;
}

/** One trainable tensor of an adapter. */
export interface AdapterTensor {
  /** Short name: A, B, H, W. */
  name: string;
  dims: number[];
  /** Which of them are the adapter's rank. */
  rankAxes: number[];
  /** Its key below the module's path in PEFT's file layout. */
  peftName: string;
  /** Initial values; `draw` gives this tensor's own stream of random numbers. */
  init: (draw: Draw, size: number) => Float32Array;
}

/**
 * As an adapter is trained and evaluated: `dynamic` puts its nonlinearity behind A x, as AuroRA is trained; `static`
 * puts it on A itself, so that the whole is one low-rank product that can be merged into the weight. For a linear
 * method the two are the same.
 */
export type AdapterForm = 'dynamic' | 'static';

/** Random numbers keyed by position, so that a tensor's values do not depend on what was drawn before it. */
export interface Draw {
  /** In [0, 1). */
  uniform(i: number): number;
  /** Standard normal. */
  normal(i: number): number;
}

export interface Fragment {
  /** Same shape as the layer's output. */
  delta: string;
  /** What the nonlinearity sees, (…, rank), or would see where the form is static; for the activation snapshots. */
  z: string;
}

/**
 * An adapter method: what it trains, what nodes compute its change of a layer's output, and how that
 * becomes a change of the weight. `spec` has rank and alpha of this very layer.
 */
export interface AdapterMethod<S extends AuroraSpec | LoraSpec = AuroraSpec | LoraSpec> {
  tensors(layer: LayerShape, spec: S): AdapterTensor[];
  /**
   * @param x the layer's input, (…, in)
   * @param p tensor names by short name; `scale`, where it is there, is a 0-dimensional tensor instead of the constant
   */
  delta(
    g: GraphBuilder,
    x: string,
    p: Record<string, string>,
    spec: S,
    dtype: number,
    form: AdapterForm,
  ): Fragment;
  /** The plain LoRA pair that the static form is: lora_A (rank, in). lora_B is B. */
  staticA(values: Record<string, Float32Array>, layer: LayerShape, spec: S): Float32Array;
  scale(spec: S): number;
}

/** The change of a layer's output from what comes before B: (…, r) · Bᵀ, times the scale. */
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
  layer: LayerShape,
  rank: number,
  scale: number,
): Float32Array {
  const { inFeatures, outFeatures } = layer;
  const out = new Float32Array(outFeatures * inFeatures);
  for (let o = 0; o < outFeatures; o++)
    for (let i = 0; i < inFeatures; i++) {
      let sum = 0;
      for (let r = 0; r < rank; r++) sum += B[o * rank + r] * A[r * inFeatures + i];
      out[o * inFeatures + i] = scale * sum;
    }
  return out;
}

/** Kaiming-uniform with a = √5, as nn.Linear: U(±1/√fan_in). */
export const kaimingUniform = (fanIn: number): AdapterTensor['init'] => uniform(1 / Math.sqrt(fanIn));

export const uniform =
  (bound: number): AdapterTensor['init'] =>
  (draw, size) =>
    Float32Array.from({ length: size }, (_, i) => (2 * draw.uniform(i) - 1) * bound);

export const normal =
  (std: number): AdapterTensor['init'] =>
  (draw, size) =>
    Float32Array.from({ length: size }, (_, i) => draw.normal(i) * std);

export const zeros: AdapterTensor['init'] = (_, size) => new Float32Array(size);
