import type { MetricName } from './metrics';
import type { TaskName } from './tasks/registry';

/**
 * An experiment as a user writes it (`*.aurora.json`) and, with all defaults filled in, as a run stores it
 * (`spec.json`). `experiment.schema.json` is the same for editors; a test keeps them in sync. Paths are relative to the
 * experiment file; in a run's spec they are absolute.
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
  /** Maximum input length in tokens; longer texts are truncated. */
  maxLength: number;
  /** The output that the head or the loss reads; detected automatically if there is only one candidate. */
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
  /** A file; omitted for a seeded split of the training file. */
  validation?: string;
  /** Share of the training file held out when there is no validation file. */
  validationFraction: number;
  textColumn: string;
  labelColumn: string;
  /** How to handle an unusable row. */
  onBadRow: 'fail' | 'skip';
}

export type Activation = 'tanh' | 'leaky-relu' | 'sigmoid';

/** How adapted layers are selected: HF PEFT's rules (tuners_utils.check_target_module_exists). */
export interface TargetSpec {
  /** A string is a regular expression over the whole module path, or "all-linear"; a list matches whole names or path endings. */
  targetModules: string | string[];
  excludeModules?: string | string[];
  layersToTransform?: number[];
  layersPattern?: string;
}

/** Settings of every adapter with two low-rank matrices. */
export interface LowRankSpec extends TargetSpec {
  rank: number;
  /** Module pattern to rank; the first match wins. */
  rankPattern?: Record<string, number>;
  dropout: number;
  initialization: 'kaiming-uniform' | 'gaussian';
}

interface AlphaSpec extends LowRankSpec {
  alpha: number;
  /** Module pattern to alpha; the first match wins. */
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
  /** ω: the frequency of the sine. */
  frequency: number;
  /** γ: the divisor of the sine; √out by default. */
  gamma?: number;
}

export interface VeraSpec extends TargetSpec {
  method: 'vera';
  rank: number;
  dropout: number;
  /** Initial value of every element of d. */
  dInitial: number;
  /** Seed of the frozen matrices shared by all layers. */
  projectionSeed: number;
}

export interface FourierftSpec extends TargetSpec {
  method: 'fourierft';
  /** Trained coefficients per layer. */
  frequencies: number;
  scaling: number;
  dropout: number;
  /** Seed of the coefficients' positions. */
  locationSeed: number;
}

/** The biases of the selected layers. */
export interface BitfitSpec extends TargetSpec {
  method: 'bitfit';
}

/** The weights of the selected layers themselves. */
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
  /** Subtract the mean of its features from the adapter's input, so that merging loses less. Not in the paper. */
  centerInputs: boolean;
  /** Of W, the weights of the spline. */
  splineInitialization: 'uniform' | 'zero';
}

/** No adapter: only the head is trained (the baseline). */
export interface NoAdapterSpec {
  method: 'none';
}

/** A method that trains parameters inside the model. */
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
/** A method whose budget depends on a rank. */
export type RankedSpec = Extract<TrainedSpec, { rank: number }>;
/** A method with a separate rank for each layer. */
export type LayerRankedSpec = Extract<TrainedSpec, LowRankSpec>;
/** A method whose product is scaled by alpha. */
export type WithAlpha = Extract<TrainedSpec, { alpha: number }>;
/** A method with a nonlinearity between its matrices. */
export type NonlinearSpec = Extract<TrainedSpec, { activation: Activation }>;
export type AdapterSpec = TrainedSpec | NoAdapterSpec;
export type MethodName = TrainedSpec['method'];

export const isRanked = (spec: AdapterSpec): spec is RankedSpec => 'rank' in spec;

export type { MetricName };

export interface TrainingSpec {
  epochs: number;
  /** Stops after this many optimizer steps, regardless of the epochs. */
  maxSteps?: number;
  batchSize: number;
  gradientAccumulation: number;
  /** Maximum number of examples run at once; halved automatically if a batch does not fit. The result is the same. */
  microBatchSize?: number;
  /** 'mixed': frozen weights in float16, adapters in float32, with loss scaling. */
  precision: 'float32' | 'mixed';
  /** Recompute each layer in the backward pass: less memory, more time, the same gradients. */
  gradientCheckpointing: boolean;
  /** The last epochs train the static form, which is merged without loss; 0 or omitted: none. */
  staticEpochs?: number;
  /** Weight of Σ‖σ(0)‖² over the adapted layers, added to the loss in the objective; 0 or omitted: none. */
  offsetPenalty?: number;
  learningRate: number;
  /** Ratio of B's learning rate to that of A and everything else in the adapters (LoRA+); 1 or omitted: the same. */
  loraPlusRatio?: number;
  headLearningRate: number;
  schedule: 'linear' | 'cosine' | 'constant';
  /** Share of all steps; overridden by `warmupSteps`. */
  warmupRatio: number;
  warmupSteps?: number;
  weightDecay: number;
  headWeightDecay: number;
  /** false exempts biases (one-dimensional tensors) from weight decay. */
  decayBiases: boolean;
  betas: [number, number];
  epsilon: number;
  /** Gradient clipping by global norm; 0 for no clipping. */
  maxGradientNorm: number;
  seed: number;
  groupByLength: boolean;
  /** 'epoch' or a number of steps. */
  evaluateEvery: 'epoch' | number;
  /** Steps between checkpoints; also written at every evaluation. */
  checkpointEvery: number;
  /** Steps between activation snapshots; 0 for only at evaluations. */
  activationsEvery: number;
  /** The validation metric that decides which checkpoint is best. */
  metric: MetricName;
  earlyStopping?: { patience: number; minDelta: number };
}
