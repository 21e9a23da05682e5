import type {
  Activation,
  AlphaSpec,
  BlocksSpec,
  LayerRankedSpec,
  LayerScaledSpec,
  LowRankSpec,
  MethodDescription,
  OneAlphaSpec,
  PeanutActivation,
  ScaledSpec,
  SplineReading,
  StartSpec,
  TargetSpec,
} from './method-settings';

export interface LoraSpec extends ScaledSpec, StartSpec {
  method: 'lora';
  /** Train a bias after B, which is scaled as B is (PEFT's lora_bias). */
  loraBias: boolean;
}

export interface MosloraSpec extends ScaledSpec {
  method: 'moslora';
}

export interface DoraSpec extends ScaledSpec, StartSpec {
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

export interface AdaloraSpec extends TargetSpec {
  method: 'adalora';
  /** The rank of every layer at the start (PEFT's init_r). */
  rank: number;
  /** The mean over all layers at the end (PEFT's target_r); two thirds of `rank` if omitted. */
  targetRank?: number;
  /** No layer has its own: PEFT's rank_pattern is the result of training here, and its alpha_pattern has no effect. */
  rankPattern?: never;
  alpha: number;
  alphaPattern?: never;
  dropout: number;
  /** Steps before the first rank is taken away, and steps at the end in which the ranks stay. */
  tinit: number;
  tfinal: number;
  /** Steps from one change of the ranks to the next. */
  deltaT: number;
  /** Steps of the whole schedule (PEFT's total_step); those of the run if omitted. */
  totalStep?: number;
  /** Factors of the running means: of the importance, and of its deviation. */
  beta1: number;
  beta2: number;
  /** Weight of the penalty on vectors that are not orthonormal. */
  orthRegWeight: number;
}

export interface LorafaSpec extends ScaledSpec {
  method: 'lorafa';
  /** 'lorafa' divides the gradient of B by A Aᵀ and steps as PEFT's LoraFAOptimizer; 'adamw' trains B as usual. */
  optimizer: 'lorafa' | 'adamw';
}

export interface PeanutSpec extends TargetSpec {
  method: 'peanut';
  rank: number;
  /** Hidden layers on each side. */
  depth: number;
  actFn: PeanutActivation;
  scaling: number;
}

export interface HiraSpec extends LowRankSpec {
  method: 'hira';
}

export interface LohaSpec extends LayerScaledSpec {
  method: 'loha';
}

export interface LokrSpec extends LayerScaledSpec {
  method: 'lokr';
  /** The first factor is a product of the rank too, if that is smaller. */
  decomposeBoth: boolean;
  /** The first sizes of the factors; −1 for the nearest to square. */
  decomposeFactor: number;
}

export interface DeloraSpec extends LayerRankedSpec {
  method: 'delora';
  /** Initial λ, the bound of the change. */
  lambda: number;
  dropout: number;
}

export interface Ia3Spec extends TargetSpec {
  method: 'ia3';
  /** The modules whose inputs are scaled instead of their outputs: ends of paths, or an expression over whole ones. */
  feedforwardModules: string | string[];
}

export interface MissSpec extends TargetSpec {
  method: 'miss';
  rank: number;
  /** PEFT's init_weights, with `miss` for true. */
  initWeights: 'miss' | 'bat' | 'mini';
  /** The trained outputs of `mini`, which repeat. */
  miniR: number;
  dropout: number;
}

export interface OftSpec extends BlocksSpec {
  method: 'oft';
  blockShare: boolean;
  coft: boolean;
  eps: number;
  useCayleyNeumann: boolean;
  numCayleyNeumannTerms: number;
}

export interface BoftSpec extends BlocksSpec {
  method: 'boft';
  nButterflyFactor: number;
}

/** Rows of the embedding, alone. */
export interface TokensSpec extends Omit<TargetSpec, 'modulesToSave'> {
  method: 'trainable-tokens';
  /** The tokens whose rows are trained. */
  tokenIndices: number[];
}

export interface RandloraSpec extends OneAlphaSpec {
  method: 'randlora';
  /** Random matrices of −1, 0 and 1, with 2/3 of zeros. */
  sparse: boolean;
  /** Instead with 1 − 1/√d of zeros, d the smaller size of the widest layer. */
  verySparse: boolean;
  /** Seed of the frozen matrices shared by all layers. */
  projectionSeed: number;
}

export interface GraloraSpec extends OneAlphaSpec {
  method: 'gralora';
  /** Blocks along each side of the weight. */
  graloraK: number;
  /** Rank of a LoRA beside the blocks; 0 without one. */
  hybridR: number;
}

export interface C3aSpec extends TargetSpec {
  method: 'c3a';
  blockSize: number;
  /** PEFT's names of the initial distributions; `zeros` is its `true`. */
  initWeights: 'xavier_uniform' | 'kaiming_uniform' | 'gaussian' | 'zeros';
  /** The derivative, or what PEFT's backward pass gives a layer's input in its place. */
  inputGradient: 'exact' | 'peft';
}

export interface ShiraSpec extends TargetSpec {
  method: 'shira';
  /** It has as many values as a LoRA of this rank. */
  rank: number;
  /** Seed of the values' places. */
  randomSeed: number;
}

export interface LilySpec extends TargetSpec {
  method: 'lily';
  rank: number;
  scaling: number;
  /** Neighbouring layers that share one A. */
  strideA: number;
  /** Matrices B, which all layers of the same name and sizes share. */
  numB: number;
}

export interface FrodSpec extends TargetSpec {
  method: 'frod';
  /** Trained elements beside the diagonal, as a share of in². */
  sparseRate: number;
  /** Keeps the inverses apart from singular while the shared basis is computed. */
  regularizationAlpha: number;
  /** Seed of the places. */
  projectionSeed: number;
  dropout: number;
}

/** The biases of the selected layers. */
export interface BitfitSpec extends TargetSpec {
  method: 'bitfit';
}

/** The weights of the selected layers themselves. */
export interface FullSpec extends TargetSpec {
  method: 'full';
  /** Train their biases too. */
  trainBias: boolean;
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
  spline: SplineReading;
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
  | AdaloraSpec
  | LorafaSpec
  | PeanutSpec
  | HiraSpec
  | LohaSpec
  | LokrSpec
  | DeloraSpec
  | RandloraSpec
  | GraloraSpec
  | C3aSpec
  | ShiraSpec
  | LilySpec
  | FrodSpec
  | Ia3Spec
  | MissSpec
  | OftSpec
  | BoftSpec
  | TokensSpec
  | BitfitSpec
  | FullSpec;
/** A method whose budget depends on a rank. */
export type RankedSpec = Extract<TrainedSpec, { rank: number }>;
/** A method whose product is scaled by alpha. */
export type WithAlpha = Extract<TrainedSpec, { alpha: number }>;
/** A method with a nonlinearity between its matrices. */
export type NonlinearSpec = Extract<TrainedSpec, { activation: Activation }>;
export type AdapterSpec = TrainedSpec | NoAdapterSpec;
export type MethodName = TrainedSpec['method'];

const ALPHA = { comment: 'The output is scaled by alpha / rank.', keys: ['alpha'] };

/** In display order; the first is the default. */
export const METHODS: Record<MethodName, MethodDescription> = {
  aurora: {
    name: 'AuroRA',
    summary: 'a nonlinear layer between LoRA’s two matrices: fewer parameters at a smaller rank',
    size: 'rank',
    hasAlpha: true,
    hasB: true,
    nonlinear: true,
    training: ['staticEpochs'],
    role: 'subject',
    curve: 1,
    draft: [ALPHA],
  },
  lora: {
    name: 'LoRA',
    summary: 'two low-rank matrices: the standard method, for comparison',
    size: 'rank',
    hasAlpha: true,
    hasB: true,
    role: 'reference',
    curve: 2,
    draft: [ALPHA],
  },
  moslora: {
    name: 'MoSLoRA',
    summary: 'a small trained mixer between LoRA’s two matrices',
    size: 'rank',
    hasAlpha: true,
    hasB: true,
    curve: 4,
    draft: [ALPHA],
  },
  dora: {
    name: 'DoRA',
    summary: 'magnitude and direction of the weight trained separately, the direction with a LoRA',
    size: 'rank',
    hasAlpha: true,
    hasB: true,
    curve: 3,
    draft: [ALPHA],
  },
  // It trains as many parameters as LoRA, so it needs no curve beside LoRA's.
  sinelora: {
    name: 'SineLoRA',
    summary: 'the sine of LoRA’s product, with high rank; needs memory for each weight it changes',
    size: 'rank',
    hasB: true,
    draft: [{ comment: 'ω: the frequency of the sine.', keys: ['frequency'] }],
  },
  vera: {
    name: 'VeRA',
    summary: 'two trained vectors on random matrices shared by all layers',
    size: 'rank',
    oneRank: true,
    curve: 5,
  },
  fourierft: {
    name: 'FourierFT',
    summary: 'a few coefficients of the change’s Fourier transform',
    size: 'frequencies',
    draft: [
      {
        comment: 'Trained coefficients per layer, and the factor that ΔW is multiplied by.',
        keys: ['frequencies', 'scaling'],
      },
    ],
  },
  adalora: {
    name: 'AdaLoRA',
    summary: 'a LoRA whose least important ranks are taken away during training, wherever they are',
    size: 'rank',
    hasAlpha: true,
    hasB: true,
    oneRank: true,
    draft: [
      ALPHA,
      {
        comment:
          'Steps before the first rank is taken away, at the end without changes, and between changes.',
        keys: ['tinit', 'tfinal', 'deltaT'],
      },
    ],
  },
  lorafa: {
    name: 'LoRA-FA',
    summary: 'a LoRA with a frozen A: only B is trained, half as many parameters',
    size: 'rank',
    hasAlpha: true,
    hasB: true,
    draft: [ALPHA],
  },
  peanut: {
    name: 'PEANuT',
    summary: 'a small nonlinear network of the weight itself; merges exactly',
    size: 'rank',
    hasB: true,
    draft: [
      { comment: 'Hidden layers on each side, and the activation after each.', keys: ['depth', 'actFn'] },
    ],
  },
  hira: {
    name: 'HiRA',
    summary:
      'the weight times LoRA’s product, element by element, with high rank; needs memory for each weight',
    size: 'rank',
    hasB: true,
  },
  loha: {
    name: 'LoHa',
    summary: 'the elementwise product of two low-rank products: up to the square of the rank',
    size: 'rank',
    hasAlpha: true,
    draft: [ALPHA],
  },
  lokr: {
    name: 'LoKr',
    summary: 'a Kronecker product of two small matrices: high rank with few parameters',
    size: 'rank',
    hasAlpha: true,
    draft: [ALPHA],
  },
  delora: {
    name: 'DeLoRA',
    summary: 'a normalized LoRA whose strength is trained separately and bounds the change',
    size: 'rank',
    hasB: true,
    draft: [{ comment: 'λ: the initial bound of the change.', keys: ['lambda'] }],
  },
  // Not `hasAlpha`: its initial factors are so small that its usual scale is twenty, whatever that of others is.
  randlora: {
    name: 'RandLoRA',
    summary: 'full rank from random matrices with trained factors: a larger rank has fewer parameters',
    size: 'rank',
    oneRank: true,
    draft: [{ comment: 'The output is scaled by alpha / rank; usual is 20.', keys: ['alpha'] }],
  },
  gralora: {
    name: 'GraLoRA',
    summary: 'one small LoRA for each block of the weight: a higher rank from as many parameters as LoRA’s',
    size: 'rank',
    oneRank: true,
    hasAlpha: true,
    draft: [
      ALPHA,
      { comment: 'Blocks along each side of the weight; they divide the rank.', keys: ['graloraK'] },
    ],
  },
  c3a: {
    name: 'C³A',
    summary: 'blocks that are circular convolutions: high rank with few parameters, but no neutral start',
    size: 'blockSize',
    draft: [{ comment: 'It divides the inputs and outputs of each layer.', keys: ['blockSize'] }],
  },
  shira: {
    name: 'SHiRA',
    summary: 'a few entries of the weight itself, at random places',
    size: 'rank',
    oneRank: true,
  },
  lily: {
    name: 'Lily',
    summary: 'matrices that layers share, mixed by a router for each batch; cannot be merged',
    changesByBatch: true,
    size: 'rank',
    oneRank: true,
    hasB: true,
    draft: [
      {
        comment: 'Neighbouring layers that share an A, and the number of shared B.',
        keys: ['strideA', 'numB'],
      },
    ],
  },
  frod: {
    name: 'FRoD',
    summary: 'the weight on a basis that layers share, with trained lengths and a few trained rotations',
    size: 'sparseRate',
    draft: [{ comment: 'Trained elements beside the diagonal, as a share of all.', keys: ['sparseRate'] }],
  },
  ia3: {
    name: '(IA)³',
    summary: 'one scale for each output or input: very few parameters',
    draft: [{ comment: 'The modules whose inputs are scaled.', keys: ['feedforwardModules'] }],
  },
  miss: {
    name: 'MiSS',
    summary: 'one trained matrix for sums of the inputs: half as many parameters as LoRA',
    size: 'rank',
    oneRank: true,
  },
  oft: {
    name: 'OFT',
    summary: 'rotations of the inputs in blocks, which keep lengths and angles',
    size: 'blockSize',
    draft: [{ comment: 'Inputs that are turned together.', keys: ['blockSize'] }],
  },
  boft: {
    name: 'BOFT',
    summary: 'rotations of the inputs in small blocks that overlap, and a scale for each output',
    size: 'blockSize',
    draft: [
      {
        comment: 'Inputs that are turned together, and how many times.',
        keys: ['blockSize', 'nButterflyFactor'],
      },
    ],
  },
  'trainable-tokens': {
    name: 'Trainable tokens',
    summary: 'rows of the embedding: a few tokens’ vectors',
    onEmbedding: true,
  },
  bitfit: { name: 'BitFit', summary: 'only the biases', onlyBiases: true },
  full: { name: 'Full fine-tuning', summary: 'the weights themselves: the usual reference for adapters' },
};
