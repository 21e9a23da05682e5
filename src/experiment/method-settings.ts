import type { TrainingSpec } from './experiment';

export type Activation = 'tanh' | 'leaky-relu' | 'sigmoid';

/**
 * Readings of AuroRA's L(z), which the paper leaves open: one set of weights for the sum of all coordinates' bases, a spline
 * for each coordinate, or a spline for each pair of output and input coordinate.
 */
export const SPLINE_READINGS = ['shared', 'per-dimension', 'per-pair'] as const;
export type SplineReading = (typeof SPLINE_READINGS)[number];

/** The selection of adapted layers: HF PEFT's rules (tuners_utils.check_target_module_exists). */
export interface TargetSpec {
  /** A string is a regular expression over the whole module path, or "all-linear"; a list matches whole names or path endings. */
  targetModules: string | string[];
  excludeModules?: string | string[];
  layersToTransform?: number[];
  layersPattern?: string;
  /** Modules that are trained whole besides, by the ends of their paths (PEFT's modules_to_save). */
  modulesToSave?: string[];
}

/** Settings of every method with a rank for each layer. */
export interface LayerRankedSpec extends TargetSpec {
  rank: number;
  /** Module pattern to rank; the first match wins. */
  rankPattern?: Record<string, number>;
}

/** Random values of A; the other methods start from the weights or from the run's data. */
export type Initialization = 'kaiming-uniform' | 'gaussian' | WeightStart | DataStart;
/** Methods that split B·A off the weights. */
export type WeightStart = 'pissa' | 'olora';
/** Methods that read training data before the first step. */
export type DataStart = 'eva' | 'corda';

/** Settings of LoRA and its nearest relatives: B starts at zero, A does not. */
export interface LowRankSpec extends LayerRankedSpec {
  dropout: number;
  /** Only LoRA and DoRA have more than the random ones. */
  initialization: Initialization;
}

/** Settings of the initialization of LoRA and DoRA from data. */
export interface StartSpec {
  /** PEFT's EvaConfig.rho; 2 if omitted. */
  evaRho?: number;
  /** PEFT's EvaConfig.tau; 0.99 if omitted. */
  evaTau?: number;
  /** PEFT's EvaConfig.whiten; false if omitted. */
  evaWhiten?: boolean;
  /** PEFT's CordaConfig.corda_method; ipm if omitted. */
  cordaMethod?: 'ipm' | 'kpm';
  /** Training rows that the covariance of inputs is computed from; 256 if omitted. */
  cordaSamples?: number;
}

export interface LayerScaledSpec extends LayerRankedSpec {
  alpha: number;
  /** Module pattern to alpha; the first match wins. */
  alphaPattern?: Record<string, number>;
}

export interface AlphaSpec extends LowRankSpec, LayerScaledSpec {}

export interface ScaledSpec extends AlphaSpec {
  /** Scale alpha/√rank instead of alpha/rank (rsLoRA). */
  useRslora: boolean;
  /** Tokens whose rows of the embedding are trained besides. */
  trainableTokenIndices?: number[];
}

/** Blocks of a layer's inputs that are turned. */
export interface BlocksSpec extends TargetSpec {
  blockSize: number;
  /** Their number; if given, it counts instead of their size. */
  blockNum?: number;
}

/** One rank and one alpha for all layers. */
export interface OneAlphaSpec extends TargetSpec {
  rank: number;
  alpha: number;
  rankPattern?: never;
  alphaPattern?: never;
  dropout: number;
}

/** PEFT's names of activations. */
export type PeanutActivation =
  | 'relu'
  | 'relu2'
  | 'relu6'
  | 'leaky_relu'
  | 'gelu'
  | 'gelu_new'
  | 'gelu_pytorch_tanh'
  | 'quick_gelu'
  | 'silu'
  | 'swish'
  | 'mish'
  | 'hardswish'
  | 'tanh'
  | 'sigmoid'
  | 'linear';

/** A setting by which methods are sized, with its letter in the names of runs: r8, n1000. */
export const SIZE_LETTERS = { rank: 'r', frequencies: 'n', blockSize: 'b', sparseRate: 's' } as const;
export type SizeSetting = keyof typeof SIZE_LETTERS;
export const SIZE_SETTINGS = Object.keys(SIZE_LETTERS) as SizeSetting[];

/** The facts about a method that involve no computing; the other half is in `adapters/methods`. */
export interface MethodDescription {
  /** The name as spelled in the papers. */
  name: string;
  /** Half a sentence, for choosing a method. */
  summary: string;
  /** The setting that determines the number of trained parameters; omitted if the layers alone do. */
  size?: SizeSetting;
  /** The scale is alpha / rank, or alpha / √rank. */
  hasAlpha?: true;
  /** Its last step is a product with a trained B. */
  hasB?: true;
  /** One rank for all layers: no pattern gives a layer its own. The method itself refuses layers that are too small for it. */
  oneRank?: true;
  /** It is on the embedding of tokens instead of linear layers. */
  onEmbedding?: true;
  /** It trains biases, but no weights. */
  onlyBiases?: true;
  /** Its output depends on the rows that are computed together, so that no change of the weights does the same. */
  changesByBatch?: true;
  /** A nonlinearity σ follows A, so that its static form can be merged, but its dynamic form cannot. */
  nonlinear?: true;
  /** Training settings that apply only to it, and to other methods that list them. */
  training?: readonly OwnTraining[];
  /**
   * Its role in a comparison: the method under test (`subject`), or the one to compare with by default (`reference`).
   */
  role?: 'subject' | 'reference';
  /** Its position among the curves of parameters by rank, if it has a curve. */
  curve?: number;
  /** Settings that a new experiment writes out besides rank and targets, each with a comment. */
  draft?: readonly { comment: string; keys: readonly string[] }[];
}

export type OwnTraining = keyof Pick<TrainingSpec, 'staticEpochs'>;
