import { isMetrics } from './evaluations';
import { AuroraError } from '../base/errors';
import { own } from '../base/names';
import { SCORINGS, type Scoring } from '../experiment/scoring';
import type { EvaluationMetrics } from './events';
import type { InputsNote } from './inputs-words';
import type { PreflightProblem } from './preflight';
import {
  ANSWER_FOUND,
  CHOICE_COLUMNS,
  CHOICE_SHARES,
  COLUMNS,
  LABEL_COLUMNS,
  LABEL_SET_COLUMNS,
  NUMBER_COLUMNS,
  PICTURE_COLUMNS,
  SPAN_COLUMNS,
  TEXT_COLUMNS,
  choiceColumns,
  choiceShares,
  commonColumns,
  labelColumns,
  labelSetColumns,
  listsOf,
  numberColumns,
  pictureColumns,
  spanColumns,
  textColumns,
  type ChoiceColumns,
  type ChoiceShares,
  type Columns,
  type LabelColumns,
  type LabelSetColumns,
  type Lists,
  type NumberColumns,
  type PictureColumns,
  type SpanColumns,
  type TextColumns,
  type Types,
} from './prediction-columns';
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

/** The answers, by their shape. */
export type Answers =
  LabelAnswers | LabelSetAnswers | SpanAnswers | NumberAnswers | TextAnswers | ChoiceAnswers | PictureAnswers;

export interface LabelAnswers {
  answer: 'label';
  /** In the order of the model's outputs. */
  labels: string[];
  columns: LabelColumns;
}

export interface SpanAnswers {
  answer: 'spans';
  /** The possible labels of a span. */
  labels: string[];
  columns: Columns;
  /** The true and the predicted spans, by example. */
  spans: SpanColumns;
}

export interface LabelSetAnswers {
  answer: 'labels';
  /** In the order of the model's outputs. */
  labels: string[];
  columns: Columns;
  /** The true and the predicted labels, by example. */
  sets: LabelSetColumns;
}

export interface NumberAnswers {
  answer: 'number';
  /** The number's name. */
  labels: string[];
  columns: NumberColumns;
}

export interface TextAnswers {
  answer: 'text';
  labels: string[];
  columns: TextColumns;
}

export interface ChoiceAnswers {
  answer: 'choice';
  /** Empty: each example has its own choices. */
  labels: string[];
  /** The method that found the answers. */
  scoring: Scoring;
  columns: ChoiceColumns;
  /** The probability of each choice, by example and in their order; empty if the model wrote its answers. */
  shares: ChoiceShares;
}

export interface PictureAnswers {
  answer: 'picture';
  /** Empty. */
  labels: string[];
  columns: PictureColumns;
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
  /** The predictions so far, as the content of a file with these examples alone. */
  | { kind: 'partial'; done: number; of: number; predictions: string }
  | { kind: 'result'; file: string; step: number }
  | PreflightProblem;

const PREDICTIONS_VERSION = 1;
export const MOST_EXCERPTS = 2000;
export const EXCERPT_CHARACTERS = 280;

export function encodePredictions(predictions: Predictions): string {
  const { columns, ...rest } = predictions;
  const lists = {
    columns: listsOf(columns),
    ...(predictions.answer === 'spans' && { spans: listsOf(predictions.spans) }),
    ...(predictions.answer === 'labels' && { sets: listsOf(predictions.sets) }),
    ...(predictions.answer === 'choice' && { shares: listsOf(predictions.shares) }),
  };
  return `${JSON.stringify({ version: PREDICTIONS_VERSION, ...rest, ...lists })}\n`;
}

/**
 * @param path of the file, for the error
 * @throws AuroraError 'run' if it is incomplete or of another version
 */
export function parsePredictions(path: string, text: string): Predictions {
  const value = valueOf(text);
  if (isObject(value) && typeof value.version === 'number' && value.version !== PREDICTIONS_VERSION)
    throw unusable(`${path} has the version ${value.version}, which is not known here.`);
  const answers = isObject(value) && hasFacts(value) ? parseAnswers(value) : undefined;
  if (!answers) throw unusable(`${path} does not hold a checkpoint's predictions.`);
  const { step, form, data, metrics, evaluation, inputs, excerpts } = value as unknown as PredictionFacts;
  if (!excerpts.every((e) => isExcerpt(e, answers.columns.line.length)))
    throw unusable(`${path} does not hold a checkpoint's predictions.`);
  return {
    step,
    form,
    data,
    metrics,
    ...(evaluation && { evaluation }),
    ...(inputs && { inputs }),
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

function parseAnswers(value: Record<string, unknown>): Answers | undefined {
  const { answer, columns, spans, sets, shares, scoring } = value;
  const labels = value.labels as string[];
  const ends = { label: labels.length, predicted: labels.length, cut: 2 };
  if (answer === 'label')
    return labels.length > 0 && areColumns(columns, LABEL_COLUMNS, ends, 1)
      ? { answer, labels, columns: labelColumns(columns) }
      : undefined;
  if (answer === 'number')
    return areColumns(columns, NUMBER_COLUMNS, ends, 1)
      ? { answer, labels, columns: numberColumns(columns) }
      : undefined;
  if (answer === 'text')
    return areColumns(columns, TEXT_COLUMNS, ends, 1)
      ? { answer, labels, columns: textColumns(columns) }
      : undefined;
  if (answer === 'picture')
    return areColumns(columns, PICTURE_COLUMNS, ends, 1)
      ? { answer, labels, columns: pictureColumns(columns) }
      : undefined;
  if (answer === 'choice') {
    if (!areColumns(columns, CHOICE_COLUMNS, { cut: 2 }, 1)) return undefined;
    const answers = choiceColumns(columns);
    const isWithin = answers.choices.every((n, i) => answers.label[i] < n && answers.predicted[i] <= n);
    return isWithin &&
      isScoring(scoring) &&
      areColumns(shares, CHOICE_SHARES, { example: answers.line.length }, 0)
      ? { answer, labels, scoring, columns: answers, shares: choiceShares(shares) }
      : undefined;
  }
  if (!areColumns(columns, COLUMNS, ends, 1)) return undefined;
  const partEnds = { example: columns.line.length, label: labels.length, found: ANSWER_FOUND + 1 };
  if (answer === 'labels')
    return areColumns(sets, LABEL_SET_COLUMNS, partEnds, 0)
      ? { answer, labels, columns: commonColumns(columns), sets: labelSetColumns(sets) }
      : undefined;
  return answer === 'spans' && areColumns(spans, SPAN_COLUMNS, partEnds, 0)
    ? { answer, labels, columns: commonColumns(columns), spans: spanColumns(spans) }
    : undefined;
}

/**
 * @param ends the exclusive upper limits of columns that have one
 * @param least number of rows
 */
function areColumns(
  value: unknown,
  types: Types,
  ends: Record<string, number>,
  least: number,
): value is Lists {
  if (!isObject(value)) return false;
  const [first] = Object.keys(types);
  const rows = Array.isArray(value[first]) ? value[first].length : -1;
  if (rows < least) return false;
  return Object.entries(types).every(([name, type]) => {
    const column = value[name];
    if (!Array.isArray(column) || column.length !== rows) return false;
    if (type === Float64Array) return column.every(Number.isFinite);
    const end = own(ends, name) ?? Infinity;
    return column.every((v) => isCount(v) && v < end);
  });
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const isScoring = (value: unknown): value is Scoring =>
  typeof value === 'string' && Object.hasOwn(SCORINGS, value);

const isNote = (value: unknown): value is InputsNote =>
  isObject(value) &&
  [value.changed, value.notes].every(
    (list) => Array.isArray(list) && list.every((words) => typeof words === 'string'),
  );

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

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
