import { errorText, percent } from '../base/number-text';
import type { EvaluationMetrics } from './events';
import type { MetricName } from '../experiment/metrics';
import type { InputsNote } from './inputs-words';
import type { FitProgress } from './linear-fit';
import type { PreflightProblem } from './preflight';
import type { PairedRise } from './nonlinearity';
import type { RefineLine, Refinement } from './refinement';
import type { VllmLimit } from './vllm-limits';

/** The output forms of `aurora export --as`. */
export const EXPORT_FORMS = [
  'adapter',
  'peft-lora',
  'kohya',
  'onnx-dynamic',
  'onnx-merged',
  'onnx-adapter-inputs',
  'safetensors',
  'gguf-lora',
  'gguf',
] as const;
export type ExportForm = (typeof EXPORT_FORMS)[number];

/** An event file with the run's curves; this format contains no model. */
export const TENSORBOARD = 'tensorboard';

/** Forms in which every adapter is one low-rank product. AuroRA is not, so its σ is replaced. */
export const MERGED_FORMS: readonly ExportForm[] = [
  'peft-lora',
  'kohya',
  'onnx-merged',
  'safetensors',
  'gguf-lora',
  'gguf',
];

export const isMergedForm = (form: ExportForm): boolean => MERGED_FORMS.includes(form);

/** The types of the large tensors in `gguf`; q8_0 has 8 bits, and a scale for each 32 of them. */
export const GGUF_PRECISIONS = ['float16', 'q8_0', 'float32'] as const;
export type GgufPrecision = (typeof GGUF_PRECISIONS)[number];

/**
 * The function that takes the place of AuroRA's σ in such a form: its linear fit on the training data, or σ on the columns
 * of A, as in the paper.
 */
export const MERGES = ['fitted', 'paper'] as const;
export type MergeChoice = (typeof MERGES)[number];

/** The error that storing merged weights in 16 or 8 bits added to them. */
export interface Rounding {
  type: 'F16' | 'BF16' | 'Q8_0';
  /** The largest error of a weight. */
  largest: number;
  /** All errors beside the adapters' change of the weights, as a share of its norm. */
  share: number;
}

const TYPES = { F16: 'float16', BF16: 'bfloat16', Q8_0: '8 bits (Q8_0)' };

/** The rounding in a sentence. */
export const roundingWords = ({ type, largest, share }: Rounding): string =>
  `Storing the merged weights in ${TYPES[type]} changed them by at most ${errorText(largest)}, in all by ${percent(share)} of what the adapters change.`;

/** The error that quantizing a merged weight again added to it. */
export interface RequantizedLayer {
  path: string;
  /** ‖Ŵ − W‖ / ‖W‖, with W = W₀ + ΔW and the Frobenius norm. */
  error: number;
  /** ‖Ŵ − W‖ / ‖ΔW‖: above 1, the error is larger than the adapter's change. */
  share: number;
}

/** The requantization in two sentences. */
export function requantizedWords(layers: readonly RequantizedLayer[]): string {
  const worst = layers.reduce((a, b) => (b.error > a.error ? b : a));
  const middle = layers.map((l) => l.share).sort((a, b) => a - b)[layers.length >> 1];
  return `Quantizing the merged weights again changed them by at most ${percent(worst.error)} (${worst.path}). In the median layer, that is ${percent(middle)} of what its adapter changes.`;
}

/** An export's report on the files that it wrote. */
export interface Written {
  rounding?: Rounding;
  /** With `--requantize`: the layers whose merged weights are quantized again. */
  requantized?: RequantizedLayer[];
  /** For `safetensors`: the class of transformers that has the trained head, or the file beside the model. */
  head?: string;
}

/** Evaluations on the validation set, in the order in which they are shown. */
export interface ExportMetrics {
  /** The run's model, as trained. */
  trained: EvaluationMetrics;
  /** With AuroRA's σ replaced by its linear fit; absent for other methods, and where the fit could not be computed. */
  fitted?: EvaluationMetrics;
  /** The fit, trained further. */
  refined?: EvaluationMetrics;
  /** With σ on the columns of A, as the paper merges AuroRA. */
  paper?: EvaluationMetrics;
  /** The trained head alone; absent if there is nothing else. */
  removed?: EvaluationMetrics;
  /** The exported files themselves. */
  exported: EvaluationMetrics;
}

/** A model that an export measures. */
export type MeasuredModel = keyof ExportMetrics;

/** The linear fit that the exported files contain. */
export interface ExportedFit {
  /** The fewest training tokens that a layer was fitted on, and the seed that chose them. */
  tokens: number;
  seed: number;
  layers: number;
  /** The layers whose place in the files has a bias, for the constant of the fit. */
  withBias: number;
}

/** The loss in quality against the trained model: see `lossBetween` of shown-metrics.ts. */
export interface MetricDrop {
  metric: MetricName;
  /** Points, or percent of a metric whose scale follows from the data; negative if better. */
  loss: number;
}

/** An export that loses more than is allowed without confirmation. */
export interface ExportLoss {
  drop: MetricDrop;
  limit: number;
  metrics: ExportMetrics;
  merge?: MergeChoice;
  refinement?: Refinement;
}

/** export.json, beside the exported files. */
export interface ExportRecord extends Written {
  program: 'aurora-lab';
  version: string;
  form: ExportForm;
  /** The run's folder name, its experiment, and the optimizer steps done. */
  run: string;
  experiment: string;
  step: number;
  /** The form that was trained last. */
  trainedForm: 'dynamic' | 'static';
  labels: string[];
  /** The replacement of σ in these files; absent if they contain what was trained. */
  merge?: MergeChoice;
  /** For `fitted`. */
  fit?: ExportedFit;
  /** With `--refine`. */
  refinement?: Refinement;
  metrics: ExportMetrics;
  drop: MetricDrop;
  /** Rise of the validation loss from the trained model to the one that stands for it in these files. */
  lossRise?: PairedRise;
  /** Between the logits of the exported files and those of the model they represent, over the validation set. */
  largestDifference: number;
  /** Remarks about the files that were read; absent if the run was trained on the same files. */
  inputs?: InputsNote;
  /** The limits of vLLM, and whether these files keep them; only of adapters on decoders that PEFT loads. */
  vllm?: VllmLimit[];
  /** Files beside this one, with their SHA-256. */
  files: Record<string, string>;
}

/** The output of `aurora export --json`, one JSON object per line. Readers ignore unknown kinds. */
export type ExportLine =
  | { kind: 'preparing' }
  | FitProgress
  | RefineLine
  /** σ could not be fitted, which an export as trained, or by the paper's merge, does not need. */
  | { kind: 'not-fitted'; reason: string }
  /** Before an adapter is written that vLLM may load. */
  | { kind: 'limits'; limits: VllmLimit[] }
  | { kind: 'measuring'; what: MeasuredModel; examples: number }
  /** Waits for a line "yes" or "no" on its standard input. */
  | ({ kind: 'ask' } & ExportLoss)
  | { kind: 'declined' }
  | { kind: 'result'; folder: string; record: ExportRecord }
  /** For --as tensorboard: the numbers of training steps and evaluations in the event file. */
  | { kind: 'events'; folder: string; file: string; steps: number; evaluations: number }
  | PreflightProblem;
