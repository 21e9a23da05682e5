import { errorText, percent } from '../base/number-text';
import type { EvaluationMetrics } from './events';
import type { MetricName } from '../experiment/metrics';
import type { InputsNote } from './inputs-words';
import type { PreflightProblem } from './preflight';

/** The output forms of `aurora export --as`. */
export const EXPORT_FORMS = [
  'adapter',
  'peft-lora',
  'onnx-dynamic',
  'onnx-merged',
  'onnx-adapter-inputs',
  'safetensors',
] as const;
export type ExportForm = (typeof EXPORT_FORMS)[number];

/** An event file with the run's curves; this format contains no model. */
export const TENSORBOARD = 'tensorboard';

/** Forms in which AuroRA becomes one low-rank product, which is a different function from the dynamic form. */
export const isStaticForm = (form: ExportForm): boolean =>
  form === 'peft-lora' || form === 'onnx-merged' || form === 'safetensors';

/** The error that storing merged weights in 16 bits added to them. */
export interface Rounding {
  type: 'F16' | 'BF16';
  /** The largest error of a weight. */
  largest: number;
  /** All errors beside the adapters' change of the weights, as a share of its norm. */
  share: number;
}

const TYPES = { F16: 'float16', BF16: 'bfloat16' };

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

/** Evaluations on the validation set. */
export interface ExportMetrics {
  /** The adapters behind A x, as AuroRA is trained. */
  dynamic: EvaluationMetrics;
  /** σ on A itself: the form that is merged. */
  static: EvaluationMetrics;
  /** The exported files themselves. */
  exported: EvaluationMetrics;
}

/** The loss in quality against the trained form: see `lossBetween` of shown-metrics.ts. */
export interface MetricDrop {
  metric: MetricName;
  /** Points, or percent of a metric whose scale follows from the data; negative if better. */
  loss: number;
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
  metrics: ExportMetrics;
  drop: MetricDrop;
  /** Between the logits of the exported files and those of the model they represent, over the validation set. */
  largestDifference: number;
  /** Remarks about the files that were read; absent if the run was trained on the same files. */
  inputs?: InputsNote;
  /** Files beside this one, with their SHA-256. */
  files: Record<string, string>;
}

/** The output of `aurora export --json`, one JSON object per line. Readers ignore unknown kinds. */
export type ExportLine =
  | { kind: 'preparing' }
  | { kind: 'measuring'; what: 'dynamic' | 'static' | 'exported'; examples: number }
  /** Waits for a line "yes" or "no" on its standard input. */
  | { kind: 'ask'; drop: MetricDrop; limit: number; metrics: ExportMetrics }
  | { kind: 'declined' }
  | { kind: 'result'; folder: string; record: ExportRecord }
  /** For --as tensorboard: the numbers of training steps and evaluations in the event file. */
  | { kind: 'events'; folder: string; file: string; steps: number; evaluations: number }
  | PreflightProblem;
