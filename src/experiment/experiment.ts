import type { EvaluationSpec } from './evaluation-sets';
import type { AdapterSpec } from './methods';
import type { MetricName } from './metrics';
import type { PicturesSpec } from './pictures';
import type { AnswerSettings, ScoredTask } from './scoring';
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
  /** The ONNX file; of a folder from the hub, its config.json; of a pipeline of diffusers, its model_index.json. */
  path: string;
  /** tokenizer.json, or vocab.txt or vocab.json; beside the model, or in its folder, by default. */
  tokenizer: string;
  /** preprocessor_config.json, for a model that reads images; beside the model, or in its folder, by default. */
  preprocessor?: string;
  /** Maximum input length in tokens; longer texts are truncated. */
  maxLength: number;
  /** The output that the head or the loss reads; detected automatically if there is only one candidate. */
  output?: string;
  /** Bits of the weights of linear layers, which are quantized when the model is read; omitted: as they are. */
  quantize?: 4 | 8;
}

export interface TaskSpec {
  type: TaskName;
  /** `linear` trains a new head on pooled hidden states; `none` uses the model's own logits. */
  head: 'linear' | 'none';
  /**
   * The initial weights of a linear head: new ones, or those in the model's folder, which are trained further; omitted:
   * 'new'.
   */
  headWeights?: 'new' | 'model';
  pooling: 'first-token' | 'mean';
  /** The tokens that a language model learns to predict; omitted: 'answers'. */
  lossOn?: 'answers' | 'everything';
  /**
   * The method that finds the answer to a question with choices; omitted: 'likelihood'. For a language model, the methods
   * that judge the texts that it writes; omitted: none, and it writes nothing.
   */
  scoring?: ScoredTask['scoring'];
  /** The form of the texts that a language model writes, and of the answers in them. */
  answers?: AnswerSettings;
  /** Writes questions with choices in the chat format of the model; omitted: false. */
  chatTemplate?: boolean;
  /** Share of each label's target that training spreads over all labels (PyTorch's label_smoothing); omitted: 0. */
  labelSmoothing?: number;
  /** The weight of each label in the training loss; labels that are left out have weight 1. */
  classWeights?: 'balanced' | Record<string, number>;
  /** The prompt of all training images; omitted where each has its own caption. */
  instancePrompt?: string;
  /** The prompt of the class images. */
  classPrompt?: string;
  /** Weight of the loss on class images; omitted: 1. */
  priorWeight?: number;
  /** The factor of a random number for each channel that is added to its noise; omitted: 0. */
  noiseOffset?: number;
  /** γ of Min-SNR weighting; omitted: none. */
  snrGamma?: number;
  /** Adapts the text encoders of a pipeline too; omitted: false. */
  trainTextEncoder?: boolean;
  /** Width and height of training images; omitted: 512, for SDXL 1024. */
  resolution?: number;
  /** Crops images to their middle; omitted: true. */
  centerCrop?: boolean;
}

export interface DataSpec {
  train: string;
  /** A file; omitted for a seeded split of the training file. */
  validation?: string;
  /**
   * Share of the training file held out if no validation file is given; for a task on pictures also 0, which measures
   * the training images.
   */
  validationFraction: number;
  /** A file that only the best adapter is scored on, once, at the end. */
  test?: string;
  /** More such files by name, such as the benchmarks that one training is for. */
  evaluations?: Record<string, EvaluationSpec>;
  /** Omitted for a task on images. */
  textColumn?: string;
  /** For a task on images: their paths, or the encoded images. */
  imageColumn?: string;
  /** Random changes of the training images; omitted: none. */
  augmentation?: AugmentationSpec;
  /** A folder of images of the subject's class, for a task on pictures. */
  classImages?: string;
  /** The second text of each row, for a task on pairs of texts. */
  textPairColumn?: string;
  /** Omitted for a task without labels. */
  labelColumn?: string;
  /** A column for each label, replacing `labelColumn`, for a task with several labels per text. */
  labelColumns?: string[];
  /** Between the labels in `labelColumn`; a comma by default. */
  labelSeparator?: string;
  /** The first row of a CSV or TSV file names the columns, which otherwise are 1, 2 and so on; omitted: true. */
  header?: boolean;
  /** The treatment of quotes in CSV and TSV files; omitted: 'auto'. */
  quoting?: 'auto' | 'csv' | 'none';
  /** The expected continuation of the text, for a language model. */
  completionColumn?: string;
  /** The choices of a question: a list in one column, or a column for each. */
  choicesColumn?: string;
  choiceColumns?: string[];
  /** The prompt of a language model, with {text} in place of the text. */
  promptTemplate?: string;
  /** A conversation instead of a text, for a language model. */
  messagesColumn?: string;
  /** The treatment of an unusable row. */
  onBadRow: 'fail' | 'skip';
}

/** Random changes of training images, as in torchvision; an omitted change is not made. */
export interface AugmentationSpec {
  /** A random part of each image (RandomResizedCrop): its share of the area, and its width by its height. */
  crop?: boolean | { scale?: [number, number]; ratio?: [number, number] };
  /** The probability that an image is mirrored (RandomHorizontalFlip). */
  flip?: number;
  /** The largest distance of each factor from 1 (ColorJitter). */
  brightness?: number;
  contrast?: number;
  saturation?: number;
}

export interface TrainingSpec {
  epochs: number;
  /** Stops after this many optimizer steps, regardless of the epochs. */
  maxSteps?: number;
  batchSize: number;
  gradientAccumulation: number;
  /** Maximum number of examples run at once; halved automatically if a batch does not fit. The result is the same. */
  microBatchSize?: number;
  /**
   * 'mixed': frozen weights in float16, adapters in float32, with loss scaling. 'int8': frozen layers in int8 in
   * training steps, adapters and evaluations in float32.
   */
  precision: 'float32' | 'mixed' | 'int8';
  /** Recompute each layer in the backward pass: less memory, more time, the same gradients. */
  gradientCheckpointing: boolean;
  /** The last epochs train the static form, which is merged without loss; 0 or omitted: none. */
  staticEpochs?: number;
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
  /** Puts several texts into one row of at most model.maxLength tokens, for a language model; omitted: false. */
  packing?: boolean;
  /** 'epoch' or a number of steps. */
  evaluateEvery: 'epoch' | number;
  /** Steps between checkpoints; also written at every evaluation. */
  checkpointEvery: number;
  /** Steps between activation snapshots; 0 for only at evaluations. */
  activationsEvery: number;
  /** Validation rows whose predictions are recorded at each evaluation. */
  samples: number;
  /** Drawn during training, for a task on pictures; omitted: none. */
  pictures?: PicturesSpec;
  /** The validation metric that decides which checkpoint is best. */
  metric: MetricName;
  earlyStopping?: { patience: number; minDelta: number };
}
