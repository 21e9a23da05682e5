import { AuroraError } from '../base/errors';
import { isCount, isObject } from '../base/guards';
import type { StoredAnswers } from './answers/answer-kind';
import { parseAnswers, type Answers } from './answers/kinds';
import { isMetrics } from './evaluations';
import type { EvaluationMetrics } from './events';
import type { InputsNote } from './inputs-words';
import type { PreflightProblem } from './preflight';
import { areParts, type FilePart } from './row-place';

/**
 * predictions/step-000120.json: a checkpoint's prediction for each validation example. One column per number, so that
 * 100,000 examples take only a few megabytes. Only the most informative texts are stored, truncated.
 */
export type Predictions = PredictionFacts & Answers;

export interface PredictionFacts {
  /** Optimizer steps done, and the form that was trained last. */
  step: number;
  form: 'dynamic' | 'static';
  /** The validation file's absolute path, and its content's hash; of a pattern, also which files it stood for. */
  data: { file: string; sha256: string; parts?: FilePart[] };
  /** The metrics of these predictions. */
  metrics: EvaluationMetrics;
  /** The journal's values for this step. If it now has others, the run was trained again from an earlier step. */
  evaluation?: EvaluationMetrics;
  /** Remarks about the files that were read; absent if the run was trained on the same files. */
  inputs?: InputsNote;
  /** Most informative first. */
  excerpts: Excerpt[];
}

export interface Excerpt {
  example: number;
  text: string;
  /** The second text of a pair. */
  pair?: string;
  /** The choices of a question, in their order. */
  choices?: string[];
  /** A small picture of an image, as a data URI; `text` is its name. */
  thumbnail?: string;
}

/** The prefix of a thumbnail. */
export const THUMBNAIL = 'data:image/webp;base64,';

/** The output of `aurora errors --json`, one JSON object per line. Readers ignore unknown kinds. */
export type PredictLine =
  | { kind: 'predicting'; examples: number }
  /** So many answers have been written, for a task that is scored by them. */
  | { kind: 'writing'; done: number; of: number }
  /** The predictions so far, as the content of a file with these examples alone. */
  | { kind: 'partial'; done: number; of: number; predictions: string }
  | { kind: 'result'; file: string; step: number }
  | PreflightProblem;

const PREDICTIONS_VERSION = 1;
export const MOST_EXCERPTS = 2000;
export const EXCERPT_CHARACTERS = 280;

export function encodePredictions(predictions: Predictions): string {
  const stored = Object.entries(predictions).map(([name, value]) => [
    name,
    isTable(value) ? listsOf(value) : value,
  ]);
  return `${JSON.stringify({ version: PREDICTIONS_VERSION, ...Object.fromEntries(stored) })}\n`;
}

type Table = Record<string, ArrayLike<number>>;

const isTable = (value: unknown): value is Table =>
  isObject(value) &&
  Object.keys(value).length > 0 &&
  Object.values(value).every((column) => ArrayBuffer.isView(column));

const listsOf = (table: Table) =>
  Object.fromEntries(Object.entries(table).map(([name, column]) => [name, Array.from(column)]));

/**
 * @param path of the file, for the error
 * @throws AuroraError 'run' if it is incomplete or of another version
 */
export function parsePredictions(path: string, text: string): Predictions {
  const value = valueOf(text);
  if (isObject(value) && typeof value.version === 'number' && value.version !== PREDICTIONS_VERSION)
    throw unusable(`${path} has the version ${value.version}, which is not known here.`);
  const answers =
    isObject(value) && hasFacts(value)
      ? parseAnswers(value.answer, value as unknown as StoredAnswers)
      : undefined;
  if (!answers) throw unusable(`${path} does not hold a checkpoint's predictions.`);
  const { step, form, data, metrics, evaluation, inputs, excerpts } = value as unknown as PredictionFacts;
  if (!excerpts.every((e) => isExcerpt(e, answers.columns.line.length)))
    throw unusable(`${path} does not hold a checkpoint's predictions.`);
  return {
    step,
    form,
    data,
    metrics,
    evaluation,
    inputs,
    excerpts,
    ...answers,
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

function hasFacts(value: Record<string, unknown>): boolean {
  const { step, form, labels, data, metrics, evaluation, inputs, excerpts } = value;
  return (
    isCount(step) &&
    (form === 'dynamic' || form === 'static') &&
    Array.isArray(labels) &&
    labels.every((l) => typeof l === 'string') &&
    isObject(data) &&
    [data.file, data.sha256].every((v) => typeof v === 'string') &&
    (data.parts === undefined || areParts(data.parts)) &&
    isMetrics(metrics) &&
    (evaluation === undefined || isMetrics(evaluation)) &&
    (inputs === undefined || isNote(inputs)) &&
    Array.isArray(excerpts)
  );
}

const isNote = (value: unknown): value is InputsNote =>
  isObject(value) &&
  [value.changed, value.notes].every(
    (list) => Array.isArray(list) && list.every((words) => typeof words === 'string'),
  );

const isExcerpt = (value: unknown, examples: number): value is Excerpt =>
  isObject(value) &&
  isCount(value.example) &&
  value.example < examples &&
  typeof value.text === 'string' &&
  (value.pair === undefined || typeof value.pair === 'string') &&
  (value.choices === undefined ||
    (Array.isArray(value.choices) && value.choices.every((c) => typeof c === 'string'))) &&
  (value.thumbnail === undefined ||
    (typeof value.thumbnail === 'string' && value.thumbnail.startsWith(THUMBNAIL)));
