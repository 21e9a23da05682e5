import { isMetrics } from './evaluations';
import { AuroraError } from '../base/errors';
import type { EvaluationMetrics } from './events';
import type { InputsNote } from './inputs-words';
import type { PreflightProblem } from './preflight';

/**
 * predictions/step-000120.json: a checkpoint's prediction for each validation example. One column per number, so that
 * 100,000 examples take only a few megabytes. Only the most informative texts are stored, truncated.
 */
export interface Predictions {
  /** Optimizer steps done, and the form that was trained last. */
  step: number;
  form: 'dynamic' | 'static';
  /** In the order of the model's outputs. */
  labels: string[];
  /** The validation file's absolute path, and its content's hash. */
  data: { file: string; sha256: string };
  /** Of these predictions. */
  metrics: EvaluationMetrics;
  /** The journal's values for this step. If it now has others, the run was trained again from an earlier step. */
  evaluation?: EvaluationMetrics;
  /** Remarks about the files that were read; absent if they are what the run was trained on. */
  inputs?: InputsNote;
  columns: Columns;
  /** Most informative first. */
  excerpts: Excerpt[];
}

/** For each validation example, in data order. */
export interface Columns {
  /** The line in the data file where it starts, one-based. */
  line: Uint32Array;
  /** The true and the predicted label, as indices into `labels`. */
  label: Uint32Array;
  predicted: Uint32Array;
  /** Probabilities of the predicted and the true label. */
  probability: Float64Array;
  truth: Float64Array;
  loss: Float64Array;
  /** By how much the most likely label is ahead of the next. */
  margin: Float64Array;
  /** Tokens that the model reads, including special tokens. */
  tokens: Uint32Array;
  /** 1 if the text is longer than the model reads. */
  cut: Uint8Array;
}

export interface Excerpt {
  example: number;
  text: string;
}

/** The output of `aurora errors --json`, one JSON object per line. Readers ignore unknown kinds. */
export type PredictLine =
  | { kind: 'predicting'; examples: number }
  | { kind: 'result'; file: string; step: number }
  | PreflightProblem;

const PREDICTIONS_VERSION = 1;
export const MOST_EXCERPTS = 2000;
export const EXCERPT_CHARACTERS = 280;

/** The allowed values of a column, and its array type. */
const COLUMNS = {
  line: Uint32Array,
  label: Uint32Array,
  predicted: Uint32Array,
  probability: Float64Array,
  truth: Float64Array,
  loss: Float64Array,
  margin: Float64Array,
  tokens: Uint32Array,
  cut: Uint8Array,
} as const;
const NAMES = Object.keys(COLUMNS) as (keyof Columns)[];

export function newColumns(examples: number): Columns {
  const made = NAMES.map((name) => [name, new COLUMNS[name](examples)]);
  return Object.fromEntries(made) as unknown as Columns;
}

export function encodePredictions({ columns, ...rest }: Predictions): string {
  const lists = Object.fromEntries(NAMES.map((name) => [name, Array.from(columns[name])]));
  return `${JSON.stringify({ version: PREDICTIONS_VERSION, ...rest, columns: lists })}\n`;
}

/**
 * @param path of the file, for the error
 * @throws AuroraError 'run' if it is incomplete or of another version
 */
export function parsePredictions(path: string, text: string): Predictions {
  const value = valueOf(text);
  if (isObject(value) && typeof value.version === 'number' && value.version !== PREDICTIONS_VERSION)
    throw unusable(`${path} has the version ${value.version}, which is not known here.`);
  if (!isWhole(value)) throw unusable(`${path} does not hold a checkpoint's predictions.`);
  const { step, form, labels, data, metrics, evaluation, inputs, excerpts } = value;
  const columns = newColumns(value.columns.line.length);
  for (const name of NAMES) columns[name].set(value.columns[name]);
  return {
    step,
    form,
    labels,
    data,
    metrics,
    ...(evaluation && { evaluation }),
    ...(inputs && { inputs }),
    columns,
    excerpts,
  };
}

const unusable = (message: string): AuroraError =>
  new AuroraError(
    'run',
    message,
    'It was changed or damaged. Predict again; in a terminal, by `aurora errors --again`.',
  );

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type Stored = Omit<Predictions, 'columns'> & { columns: Record<keyof Columns, number[]> };

function isWhole(value: unknown): value is Stored {
  if (!isObject(value)) return false;
  const { step, form, labels, data, metrics, evaluation, inputs, columns, excerpts } = value;
  return (
    isCount(step) &&
    (form === 'dynamic' || form === 'static') &&
    Array.isArray(labels) &&
    labels.length > 0 &&
    labels.every((l) => typeof l === 'string') &&
    isObject(data) &&
    [data.file, data.sha256].every((v) => typeof v === 'string') &&
    isMetrics(metrics) &&
    (evaluation === undefined || isMetrics(evaluation)) &&
    (inputs === undefined || isNote(inputs)) &&
    isColumns(columns, labels.length) &&
    Array.isArray(excerpts) &&
    excerpts.every((e) => isExcerpt(e, columns.line.length))
  );
}

function isColumns(value: unknown, labels: number): value is Record<keyof Columns, number[]> {
  if (!isObject(value) || !Array.isArray(value.line) || value.line.length === 0) return false;
  const examples = value.line.length;
  return NAMES.every((name) => {
    const column = value[name];
    if (!Array.isArray(column) || column.length !== examples) return false;
    if (COLUMNS[name] === Float64Array) return column.every(Number.isFinite);
    const end = { label: labels, predicted: labels, cut: 2 }[name as string] ?? Infinity;
    return column.every((v) => isCount(v) && v < end);
  });
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const isNote = (value: unknown): value is InputsNote =>
  isObject(value) &&
  [value.changed, value.notes].every(
    (list) => Array.isArray(list) && list.every((words) => typeof words === 'string'),
  );

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isExcerpt = (value: unknown, examples: number): value is Excerpt =>
  isObject(value) && isCount(value.example) && value.example < examples && typeof value.text === 'string';
