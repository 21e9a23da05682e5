import { cholesky, SMALLEST_PIVOT, solved } from '../cholesky';
import { AuroraError } from '../../base/errors';
import type { LoraSpec, LorafaSpec } from '../../experiment/methods';
import { lora, scaledConfig, scaledSettings } from './lora';
import { downProjection, lowRankProduct, lowRankTensors, scaleOf, upProjection, withoutB } from './low-rank';
import type { AdapterMethod, Course, NamedAdapter, OnLayer } from './method';

/**
 * LoRA-FA (Zhang et al., arXiv 2308.03303): LoRA with a frozen random A, so that only B is trained. With its own optimizer
 * (PEFT's create_lorafa_optimizer, optimizers/lorafa.py) the gradient of B becomes s⁻² · g (A Aᵀ + 1e-8 I)⁻¹, with which
 * the step of B A is nearest to one along the gradient of the weight, and then follows AdamW as transformers had
 * it.
 */
export const lorafa: AdapterMethod<LorafaSpec> = {
  tensors({ layer, spec }) {
    const [A, B] = lowRankTensors(layer, spec);
    return [{ ...A, frozen: true }, B];
  },

  delta(g, { x }, p, { spec }, dtype) {
    const z = downProjection(g, x, p);
    return { delta: upProjection(g, z, p, scaleOf(spec), dtype), z };
  },
  showsZ: true,

  course: (all) => (all[0].on.spec.optimizer === 'adamw' ? undefined : lorafaOptimizer(all)),

  change: ({ A, B }, { layer, spec }) => ({ weight: lowRankProduct(B, A, layer, scaleOf(spec)) }),
  lowRank: ({ A, B }) => ({ A, B }),
  scale: scaleOf,
  neutral: withoutB,
  flops({ layer: { inFeatures, outFeatures }, spec: { rank } }) {
    // The frozen A gets no gradient.
    return {
      forward: 2 * rank * (inFeatures + outFeatures),
      backward: 2 * rank * inFeatures + 4 * rank * outFeatures,
    };
  },
  formula: () => 'r · out',

  peft: {
    // A file does not say how it was trained, so PEFT and an import read LoRA.
    type: lora.peft.type,
    loads: lora.peft.loads,
    loader: true,
    alphaKey: 'lora_alpha',
    write: scaledConfig,
    read: (c) => ({ ...scaledSettings(c), method: 'lorafa', optimizer: 'lorafa' }),
  },
};

/** LoRA-FA's own optimizer, for any LoRA with a frozen A. */
export const lorafaOptimizer = (all: readonly NamedAdapter<LoraSpec | LorafaSpec>[]): Course =>
  new Projection(all);

/** Added to the diagonal of A Aᵀ. */
const DELTA = 1e-8;

/** The gradients of all B. A is frozen, so nothing has to be remembered in a checkpoint. */
class Projection implements Course {
  readonly adamw = 'transformers';
  /** (A Aᵀ + δI)⁻¹ / s², (r, r), by the name of B. */
  private readonly inverses = new Map<string, Float64Array>();

  constructor(private readonly all: readonly NamedAdapter<LoraSpec | LorafaSpec>[]) {}

  project(parameters: ReadonlyMap<string, Float32Array>, gradients: ReadonlyMap<string, Float32Array>): void {
    for (const { on, names } of this.all) {
      const { rank } = on.spec;
      const inverse = this.inverses.get(names.B) ?? inverseOf(parameters.get(names.A)!, on, names.A);
      this.inverses.set(names.B, inverse);
      const g = gradients.get(names.B)!;
      const row = new Float64Array(rank);
      for (let at = 0; at < g.length; at += rank) {
        for (let i = 0; i < rank; i++) row[i] = g[at + i];
        for (let j = 0; j < rank; j++) {
          let sum = 0;
          for (let i = 0; i < rank; i++) sum += row[i] * inverse[i * rank + j];
          g[at + j] = sum;
        }
      }
    }
  }
}

/**
 * (A Aᵀ + δI)⁻¹ / s².
 *
 * @param A (r, in), row-major
 * @throws AuroraError 'adapter' where rows of A are multiples of others
 */
function inverseOf(A: Float32Array, { spec }: OnLayer<LoraSpec | LorafaSpec>, name: string): Float64Array {
  const { rank } = spec;
  const width = A.length / rank;
  const G = new Float64Array(rank * rank);
  for (let i = 0; i < rank; i++)
    for (let j = 0; j <= i; j++) {
      let sum = i === j ? DELTA : 0;
      for (let k = 0; k < width; k++) sum += A[i * width + k] * A[j * width + k];
      G[i * rank + j] = sum;
    }
  const L = cholesky(G, rank);
  for (let i = 0; i < rank; i++)
    if (!(L[i * rank + i] > SMALLEST_PIVOT))
      throw new AuroraError(
        'adapter',
        `The rows of ${name} depend on each other, so LoRA-FA cannot divide by A Aᵀ.`,
        'Choose a smaller adapter.rank, or adapter.optimizer "adamw".',
      );
  const out = new Float64Array(rank * rank);
  for (let column = 0; column < rank; column++) {
    const unit = new Float64Array(rank);
    unit[column] = 1;
    solved(L, rank, unit).forEach((x, i) => (out[i * rank + column] = x / scaleOf(spec) ** 2));
  }
  return out;
}
