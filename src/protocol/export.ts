import type { EvaluationMetrics } from './events';
import type { MetricName } from '../experiment/experiment';
import type { InputsNote } from './inputs-words';
import type { PreflightProblem } from './preflight';

/** What `aurora export --as` writes. */
export const EXPORT_FORMS = [
  'adapter',
  'peft-lora',
  'onnx-dynamic',
  'onnx-merged',
  'onnx-adapter-inputs',
] as const;
export type ExportForm = (typeof EXPORT_FORMS)[number];

/** Those in which AuroRA becomes one low-rank product, which is another function than the dynamic form. */
export const isStaticForm = (form: ExportForm): boolean => form === 'peft-lora' || form === 'onnx-merged';

/** What was run on the validation set. */
export interface ExportMetrics {
  /** The adapters behind A x, as AuroRA is trained. */
  dynamic: EvaluationMetrics;
  /** σ on A itself: what is merged. */
  static: EvaluationMetrics;
  /** The exported files themselves. */
  exported: EvaluationMetrics;
}

/** How much worse than what was trained, in hundredths of the metric (points); negative where it is better. */
export interface MetricDrop {
  metric: MetricName;
  points: number;
}

/** export.json, beside what was exported. */
export interface ExportRecord {
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
  /** Between the logits of the exported files and those of what they stand for, over the validation set. */
  largestDifference: number;
  /** What is to be said of the files that were read; absent where they are what the run was trained on. */
  inputs?: InputsNote;
  /** Beside this one, with their SHA-256. */
  files: Record<string, string>;
}

/** What `aurora export --json` prints, one JSON object a line. Readers pass over kinds they do not know. */
export type ExportLine =
  | { kind: 'preparing' }
  | { kind: 'measuring'; what: 'dynamic' | 'static' | 'exported'; examples: number }
  /** It waits for a line "yes" or "no" on its standard input. */
  | { kind: 'ask'; drop: MetricDrop; limit: number; metrics: ExportMetrics }
  | { kind: 'declined' }
  | { kind: 'result'; folder: string; record: ExportRecord }
  | PreflightProblem;
