import type { MetricName } from './metrics';
import type { TaskName } from './tasks/registry';

/**
 * An experiment as a person writes it (`*.aurora.json`) and, with every default filled in, as a run keeps
 * it (`spec.json`). `experiment.schema.json` is the same thing for editors; a test holds the two together.
 * Paths are relative to the experiment file; in a run's spec they are absolute.
 */
export interface Experiment {
  name: string;
  model: ModelSpec;
  task: TaskSpec;
  data: DataSpec;
  adapter: AdapterSpec;
  training: TrainingSpec;
}

export interface ModelSpec {
  /** The ONNX file. */
  path: string;
  /** tokenizer.json; beside the model by default. */
  tokenizer: string;
  /** Longest input in tokens; longer texts are cut. */
  maxLength: number;
  /** The output that the head or the loss reads; found by itself where there is only one candidate. */
  output?: string;
}

export interface TaskSpec {
  type: TaskName;
  /** `linear` trains a new head on pooled hidden states; `none` uses the model's own logits. */
  head: 'linear' | 'none';
  pooling: 'first-token' | 'mean';
}

export interface DataSpec {
  train: string;
  /** A file, or left out for a seeded split of the training file. */
  validation?: string;
  /** Share of the training file held out when there is no validation file. */
  validationFraction: number;
  textColumn: string;
  labelColumn: string;
  /** What to do with a row that cannot be used. */
  onBadRow: 'fail' | 'skip';
}

export type Activation = 'tanh' | 'leaky-relu' | 'sigmoid';

/** How adapted layers are chosen: HF PEFT's rules (tuners_utils.check_target_module_exists). */
export interface TargetSpec {
  /** A string is a regular expression over the whole module path, or "all-linear"; a list matches whole names or path endings. */
  targetModules: string | string[];
  excludeModules?: string | string[];
  layersToTransform?: number[];
  layersPattern?: string;
}

/** What every adapter with two low-rank matrices has. */
export interface LowRankSpec extends TargetSpec {
  rank: number;
  /** Module pattern to rank, first match wins. */
  rankPattern?: Record<string, number>;
  dropout: number;
  initialization: 'kaiming-uniform' | 'gaussian';
}

interface AlphaSpec extends LowRankSpec {
  alpha: number;
  /** Module pattern to alpha, first match wins. */
  alphaPattern?: Record<string, number>;
}

interface ScaledSpec extends AlphaSpec {
  /** Scale alpha/√rank instead of alpha/rank (rsLoRA). */
  useRslora: boolean;
}

export interface LoraSpec extends ScaledSpec {
  method: 'lora';
}

export interface MosloraSpec extends ScaledSpec {
  method: 'moslora';
}

export interface DoraSpec extends ScaledSpec {
  method: 'dora';
}

export interface SineloraSpec extends LowRankSpec {
  method: 'sinelora';
  /** ω: how fast the sine turns. */
  frequency: number;
  /** γ: what the sine is divided by; √out where it is left out. */
  gamma?: number;
}

export interface VeraSpec extends TargetSpec {
  method: 'vera';
  rank: number;
  dropout: number;
  /** Initial value of every element of d. */
  dInitial: number;
  /** Seed of the frozen matrices that all layers share. */
  projectionSeed: number;
}

export interface FourierftSpec extends TargetSpec {
  method: 'fourierft';
  /** Trained coefficients a layer. */
  frequencies: number;
  scaling: number;
  dropout: number;
  /** Seed of the places of the coefficients. */
  locationSeed: number;
}

/** The biases of the chosen layers. */
export interface BitfitSpec extends TargetSpec {
  method: 'bitfit';
}

/** The weights of the chosen layers themselves. */
export interface FullSpec extends TargetSpec {
  method: 'full';
}

export interface AuroraSpec extends AlphaSpec {
  method: 'aurora';
  gridSize: number;
  splineOrder: number;
  gridRange: [number, number];
  activation: Activation;
  /** The fixed part F(z) = act(H act(z)). */
  fixed: boolean;
  /** The learnable part L(z), a B-spline. */
  learnable: boolean;
  /** Take the mean of its features from the adapter's input: merging then loses less. Not in the paper. */
  centerInputs: boolean;
  /** Of W, the weights of the spline. */
  splineInitialization: 'uniform' | 'zero';
}

/** No adapter: only the head is trained (the baseline). */
export interface NoAdapterSpec {
  method: 'none';
}

/** A method that trains something inside the model. */
export type TrainedSpec =
  | AuroraSpec
  | LoraSpec
  | MosloraSpec
  | DoraSpec
  | SineloraSpec
  | VeraSpec
  | FourierftSpec
  | BitfitSpec
  | FullSpec;
/** One whose budget goes by a rank. */
export type RankedSpec = Extract<TrainedSpec, { rank: number }>;
/** One whose rank is each layer's. */
export type LayerRankedSpec = Extract<TrainedSpec, LowRankSpec>;
/** One whose product alpha scales. */
export type WithAlpha = Extract<TrainedSpec, { alpha: number }>;
/** One with a nonlinearity between its matrices. */
export type NonlinearSpec = Extract<TrainedSpec, { activation: Activation }>;
export type AdapterSpec = TrainedSpec | NoAdapterSpec;
export type MethodName = TrainedSpec['method'];

export const isRanked = (spec: AdapterSpec): spec is RankedSpec => 'rank' in spec;

export type { MetricName };

export interface TrainingSpec {
  epochs: number;
  /** Stops after so many optimizer steps, whatever the epochs say. */
  maxSteps?: number;
  batchSize: number;
  gradientAccumulation: number;
  /** Largest number of examples run at once; halved by itself where a batch does not fit. The result is the same. */
  microBatchSize?: number;
  /** 'mixed': frozen weights in float16, adapters in float32, the loss scaled. */
  precision: 'float32' | 'mixed';
  /** Recompute each layer in the backward pass: less memory, more time, the same gradients. */
  gradientCheckpointing: boolean;
  /** The last epochs train the static form, which is merged without loss; 0 or left out: none. */
  staticEpochs?: number;
  /** Weight of Σ‖σ(0)‖² over the adapted layers in what is minimised, beside the loss; 0 or left out: none. */
  offsetPenalty?: number;
  learningRate: number;
  /** Learning rate of B over that of A and all else in the adapters (LoRA+); 1 or left out: the same. */
  loraPlusRatio?: number;
  headLearningRate: number;
  schedule: 'linear' | 'cosine' | 'constant';
  /** Share of all steps; `warmupSteps` wins where given. */
  warmupRatio: number;
  warmupSteps?: number;
  weightDecay: number;
  headWeightDecay: number;
  /** false exempts biases (one-dimensional tensors) from weight decay. */
  decayBiases: boolean;
  betas: [number, number];
  epsilon: number;
  /** Gradient clipping by global norm; 0 for none. */
  maxGradientNorm: number;
  seed: number;
  groupByLength: boolean;
  /** 'epoch' or a number of steps. */
  evaluateEvery: 'epoch' | number;
  /** Steps between checkpoints; also written at every evaluation. */
  checkpointEvery: number;
  /** Steps between activation snapshots; 0 for only at evaluations. */
  activationsEvery: number;
  /** Which validation metric decides what is best. */
  metric: MetricName;
  earlyStopping?: { patience: number; minDelta: number };
}
