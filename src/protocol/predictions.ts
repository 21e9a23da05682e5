import { isMetrics } from './evaluations';
import { AuroraError } from '../base/errors';
import { own } from '../base/names';
import { SCORINGS, type Scoring } from '../experiment/scoring';
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
  /** Of these predictions. */
  metrics: EvaluationMetrics;
  /** The journal's values for this step. If it now has others, the run was trained again from an earlier step. */
  evaluation?: EvaluationMetrics;
  /** Remarks about the files that were read; absent if they are what the run was trained on. */
  inputs?: InputsNote;
  /** Most informative first. */
  excerpts: Excerpt[];
}

/** The answers, by their shape. */
export type Answers =
  LabelAnswers | LabelSetAnswers | SpanAnswers | NumberAnswers | TextAnswers | ChoiceAnswers;

export interface LabelAnswers {
  answer: 'label';
  /** In the order of the model's outputs. */
  labels: string[];
  columns: LabelColumns;
}

export interface SpanAnswers {
  answer: 'spans';
  /** What a span can be. */
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
  /** How the answers were found. */
  scoring: Scoring;
  columns: ChoiceColumns;
  /** The probability of each choice, by example and in their order; empty if the model wrote its answers. */
  shares: ChoiceShares;
}

/** For each validation example, in data order, whatever its answer. */
export interface Columns {
  /** The line in the data file where it starts, one-based. */
  line: Uint32Array;
  loss: Float64Array;
  /** By how much the most likely answer is ahead of the next; of several answers, the smallest. 0 for a number. */
  margin: Float64Array;
  /** Tokens that the model reads, including special tokens. */
  tokens: Uint32Array;
  /** 1 if the text is longer than the model reads. */
  cut: Uint8Array;
}

export interface NumberColumns extends Columns {
  /** The true and the predicted number. */
  value: Float64Array;
  predicted: Float64Array;
}

export interface TextColumns extends Columns {
  /** Tokens that the model had to predict, and how many of them it found most likely. */
  answered: Uint32Array;
  right: Uint32Array;
}

export interface LabelColumns extends Columns {
  /** The true and the predicted label, as indices into `labels`. */
  label: Uint32Array;
  predicted: Uint32Array;
  /** Probabilities of the predicted and the true label. */
  probability: Float64Array;
  truth: Float64Array;
}

export interface ChoiceColumns extends Columns {
  /** How many choices there are. */
  choices: Uint32Array;
  /** The true and the predicted one, as indices; the predicted one is the number of choices if there is none. */
  label: Uint32Array;
  predicted: Uint32Array;
}

export interface ChoiceShares {
  example: Uint32Array;
  probability: Float64Array;
}

/** For each label of an example that is in the data, predicted, or both. */
export interface LabelSetColumns {
  example: Uint32Array;
  /** An index into `labels`. */
  label: Uint32Array;
  /** ANSWER_MISSED, ANSWER_SPURIOUS or ANSWER_FOUND. */
  found: Uint8Array;
  probability: Float64Array;
}

/** For each span that is in the data, predicted, or both. */
export interface SpanColumns {
  example: Uint32Array;
  /** In UTF-16 units of the example's text. */
  start: Uint32Array;
  end: Uint32Array;
  /** An index into `labels`. */
  label: Uint32Array;
  /** ANSWER_MISSED, ANSWER_SPURIOUS or ANSWER_FOUND. */
  found: Uint8Array;
}

/** In the data alone, predicted alone, or both. */
export const ANSWER_MISSED = 0;
export const ANSWER_SPURIOUS = 1;
export const ANSWER_FOUND = 2;

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

/** How a thumbnail begins. */
export const THUMBNAIL = 'data:image/webp;base64,';

/** The output of `aurora errors --json`, one JSON object per line. Readers ignore unknown kinds. */
export type PredictLine =
  | { kind: 'predicting'; examples: number }
  | { kind: 'result'; file: string; step: number }
  | PreflightProblem;

const PREDICTIONS_VERSION = 1;
export const MOST_EXCERPTS = 2000;
export const EXCERPT_CHARACTERS = 280;

/** The array type of each column. */
const COLUMNS = {
  line: Uint32Array,
  loss: Float64Array,
  margin: Float64Array,
  tokens: Uint32Array,
  cut: Uint8Array,
} as const;
const LABEL_COLUMNS = {
  ...COLUMNS,
  label: Uint32Array,
  predicted: Uint32Array,
  probability: Float64Array,
  truth: Float64Array,
} as const;
const NUMBER_COLUMNS = { ...COLUMNS, value: Float64Array, predicted: Float64Array } as const;
const TEXT_COLUMNS = { ...COLUMNS, answered: Uint32Array, right: Uint32Array } as const;
const CHOICE_COLUMNS = {
  ...COLUMNS,
  choices: Uint32Array,
  label: Uint32Array,
  predicted: Uint32Array,
} as const;
const CHOICE_SHARES = { example: Uint32Array, probability: Float64Array } as const;
const LABEL_SET_COLUMNS = {
  example: Uint32Array,
  label: Uint32Array,
  found: Uint8Array,
  probability: Float64Array,
} as const;
const SPAN_COLUMNS = {
  example: Uint32Array,
  start: Uint32Array,
  end: Uint32Array,
  label: Uint32Array,
  found: Uint8Array,
} as const;

type Types = Record<string, Uint32ArrayConstructor | Float64ArrayConstructor | Uint8ArrayConstructor>;
type Lists = Record<string, number[]>;
type Arrays = Record<string, ArrayLike<number>>;

const arraysOf = <T>(types: Types, lists: Lists): T =>
  Object.fromEntries(
    Object.entries(types).map(([name, type]) => [name, type.from(lists[name])]),
  ) as unknown as T;

const listsOf = (arrays: object): Lists =>
  Object.fromEntries(Object.entries(arrays as Arrays).map(([name, column]) => [name, Array.from(column)]));

export const labelColumns = (lists: Lists): LabelColumns => arraysOf(LABEL_COLUMNS, lists);
export const numberColumns = (lists: Lists): NumberColumns => arraysOf(NUMBER_COLUMNS, lists);
export const textColumns = (lists: Lists): TextColumns => arraysOf(TEXT_COLUMNS, lists);
export const choiceColumns = (lists: Lists): ChoiceColumns => arraysOf(CHOICE_COLUMNS, lists);
export const choiceShares = (lists: Lists): ChoiceShares => arraysOf(CHOICE_SHARES, lists);
export const commonColumns = (lists: Lists): Columns => arraysOf(COLUMNS, lists);
export const labelSetColumns = (lists: Lists): LabelSetColumns => arraysOf(LABEL_SET_COLUMNS, lists);
export const spanColumns = (lists: Lists): SpanColumns => arraysOf(SPAN_COLUMNS, lists);

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

/** Files from before there were other answers do not name theirs, which is a label. */
function parseAnswers(value: Record<string, unknown>): Answers | undefined {
  const { answer = 'label', columns, spans, sets, shares, scoring } = value;
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
