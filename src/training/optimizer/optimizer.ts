import type { AdamWForm } from '../../adapters/methods/method';
import { LORA_BIAS } from '../../adapters/methods/lora';
import { AuroraError } from '../../base/errors';
import { power } from '../../base/power';
import type { TrainingSpec } from '../../experiment/experiment';
import type { TrainableInfo } from '../../tasks/task-graph';

/** Parameters that share a learning rate and a weight decay; `lr` is the rate that the schedule scales. */
interface ParameterGroup {
  names: string[];
  lr: number;
  weightDecay: number;
}

export interface AdamWOptions {
  betas: [number, number];
  epsilon: number;
  /** 'pytorch' if omitted. */
  form?: AdamWForm;
}

/** AdamW's entire state between steps; restoring it continues the run bit for bit. */
export interface AdamWState {
  /** Steps taken. */
  step: number;
  /** Running mean of the gradient (PyTorch: exp_avg), by parameter. */
  firstMoments: Map<string, Float32Array>;
  /** Running mean of the squared gradient (PyTorch: exp_avg_sq), by parameter. */
  secondMoments: Map<string, Float32Array>;
}

type Arrays = ReadonlyMap<string, Float32Array>;

/** The same names with copies of the values. */
export const copyOf = (arrays: Arrays): Map<string, Float32Array> =>
  new Map(Array.from(arrays, ([name, values]) => [name, values.slice()]));

/**
 * AdamW with decoupled weight decay (Loshchilov and Hutter, 2019), in the order and float32 rounding of
 * torch.optim.AdamW's single-tensor path: scalars are computed in double precision and rounded once; each tensor
 * operation is rounded to float32. The form of transformers is that of PEFT's optimizers (optimizers/lorafa.py).
 */
export class AdamW {
  private stepCount = 0;
  private firstMoments = new Map<string, Float32Array>();
  private secondMoments = new Map<string, Float32Array>();

  constructor(
    private readonly groups: readonly ParameterGroup[],
    private readonly options: AdamWOptions,
  ) {}

  /**
   * Updates `params` in place. `lrFactor` is the schedule's factor at this step; `grads` must contain every parameter.
   */
  step(params: Arrays, grads: Arrays, lrFactor: number): void {
    const [beta1, beta2] = this.options.betas;
    this.stepCount++;
    const bias1 = 1 - power(beta1, this.stepCount);
    const rootBias2 = Math.sqrt(1 - power(beta2, this.stepCount));
    const isPytorch = this.options.form !== 'transformers';
    const update = isPytorch ? pytorchUpdate : transformersUpdate;
    const scalars = {
      beta1: Math.fround(beta1),
      weight1: Math.fround(1 - beta1),
      beta2: Math.fround(beta2),
      weight2: Math.fround(1 - beta2),
      rootBias2: Math.fround(rootBias2),
      epsilon: Math.fround(this.options.epsilon),
    };
    for (const group of this.groups) {
      const lr = group.lr * lrFactor;
      const decay = Math.fround(isPytorch ? 1 - lr * group.weightDecay : lr * group.weightDecay);
      const stepSize = Math.fround((lr / bias1) * (isPytorch ? 1 : rootBias2));
      for (const name of group.names) {
        const p = this.sized(params, name);
        const g = this.sized(grads, name, p.length);
        update(p, g, this.moment('firstMoments', name, p), this.moment('secondMoments', name, p), {
          ...scalars,
          decay,
          stepSize,
        });
      }
    }
  }

  /** A copy, safe to keep while training continues. */
  state(): AdamWState {
    return {
      step: this.stepCount,
      firstMoments: copyOf(this.firstMoments),
      secondMoments: copyOf(this.secondMoments),
    };
  }

  load(state: AdamWState): void {
    this.stepCount = state.step;
    this.firstMoments = copyOf(state.firstMoments);
    this.secondMoments = copyOf(state.secondMoments);
  }

  private moment(kind: 'firstMoments' | 'secondMoments', name: string, p: Float32Array): Float32Array {
    if (!this[kind].has(name)) this[kind].set(name, new Float32Array(p.length));
    return this.sized(this[kind], name, p.length);
  }

  private sized(arrays: Arrays, name: string, length?: number): Float32Array {
    const values = arrays.get(name);
    if (!values || (length !== undefined && values.length !== length))
      throw new AuroraError(
        'run',
        `The optimizer has ${values?.length ?? 'no'} values for ${name} but needs ${length ?? 'some'}.`,
        'A checkpoint of another adapter or rank cannot be continued: start a new run.',
      );
    return values;
  }
}

interface UpdateScalars {
  decay: number;
  beta1: number;
  weight1: number;
  beta2: number;
  weight2: number;
  rootBias2: number;
  epsilon: number;
  stepSize: number;
}

type Update = (p: Float32Array, g: Float32Array, m: Float32Array, v: Float32Array, s: UpdateScalars) => void;

const pytorchUpdate: Update = (p, g, m, v, s) => {
  const f = Math.fround;
  const { decay, weight1, beta2, weight2, rootBias2, epsilon, stepSize } = s;
  // torch.lerp works from the nearer end, so that a weight of one gives exactly that end.
  const fromStart = weight1 < 0.5;
  const keep1 = f(1 - weight1);
  for (let i = 0; i < p.length; i++) {
    const gi = g[i];
    const mi = m[i];
    const step = f(gi - mi);
    m[i] = fromStart ? mi + f(weight1 * step) : gi - f(step * keep1);
    v[i] = f(v[i] * beta2) + f(f(weight2 * gi) * gi);
    const denominator = f(f(f(Math.sqrt(v[i])) / rootBias2) + epsilon);
    p[i] = f(p[i] * decay) - f(f(stepSize * m[i]) / denominator);
  }
};

const transformersUpdate: Update = (p, g, m, v, s) => {
  const f = Math.fround;
  const { decay, beta1, weight1, beta2, weight2, epsilon, stepSize } = s;
  for (let i = 0; i < p.length; i++) {
    const gi = g[i];
    m[i] = f(m[i] * beta1) + f(weight1 * gi);
    v[i] = f(v[i] * beta2) + f(f(weight2 * gi) * gi);
    const moved = f(p[i] - f(f(stepSize * m[i]) / f(f(Math.sqrt(v[i])) + epsilon)));
    p[i] = moved - f(decay * moved);
  }
};

/**
 * Adapters and head, each with its own rate and decay; biases separate if they are exempt from decay, and B separate, with
 * the bias after it, if it has its own rate (LoRA+, Hayou et al., arXiv 2402.12354).
 */
export function parameterGroups(trainable: readonly TrainableInfo[], t: TrainingSpec): ParameterGroup[] {
  const ratio = t.loraPlusRatio ?? 1;
  const exempt = (info: TrainableInfo) => !t.decayBiases && info.dims.length === 1;
  const faster = ({ part, name }: TrainableInfo) =>
    ratio !== 1 && part === 'adapter' && (name.endsWith('.B') || name.endsWith(`.${LORA_BIAS}`));
  const group = (infos: readonly TrainableInfo[], lr: number, weightDecay: number): ParameterGroup[] => {
    const names = (wanted: readonly TrainableInfo[]) => wanted.map((i) => i.name);
    return [
      { names: names(infos.filter((i) => !exempt(i))), lr, weightDecay },
      { names: names(infos.filter(exempt)), lr, weightDecay: 0 },
    ].filter((g) => g.names.length > 0);
  };
  const adapters = trainable.filter((i) => i.part === 'adapter');
  const head = trainable.filter((i) => i.part === 'head');
  return [
    ...group(
      adapters.filter((i) => !faster(i)),
      t.learningRate,
      t.weightDecay,
    ),
    ...group(adapters.filter(faster), ratio * t.learningRate, t.weightDecay),
    ...group(head, t.headLearningRate, t.headWeightDecay),
  ];
}

/**
 * Scales all gradients so that their joint L2 norm is at most `max` (torch.nn.utils.clip_grad_norm_); 0 for no
 * clipping. Returns the norm before clipping. If the norm is not finite, the gradients stay unchanged, so that the
 * tensor at fault can still be found.
 */
export function clipByGlobalNorm(grads: ReadonlyMap<string, Float32Array>, max: number): number {
  let squares = 0;
  for (const g of grads.values()) for (let i = 0; i < g.length; i++) squares += g[i] * g[i];
  const norm = Math.sqrt(squares);
  const coefficient = Math.fround(max / (norm + 1e-6));
  if (max > 0 && Number.isFinite(norm) && coefficient < 1)
    for (const g of grads.values()) for (let i = 0; i < g.length; i++) g[i] *= coefficient;
  return norm;
}
