import { own } from '../../base/names';

/** An answer in words for the table of samples, or a number. */
export type SampleAnswer = string | number;

/** A model's answer to one example, as samples show it. */
export interface SaidAnswer {
  /** Left out for a text. */
  said?: SampleAnswer;
  /** For a label or choice: its probability. */
  probability?: number;
  /** For a text: the number of its tokens that were the most likely ones, and of all. */
  tokens?: readonly [right: number, of: number];
}

/** Each example's answers in words. */
export interface AnswerWords {
  truth?(example: number): SampleAnswer;
  /** Distinguishes examples of one row. */
  detail?(example: number): string;
  predicted(example: number): SaidAnswer;
}

/** The part of a predictions file that depends on the kind of answer, not yet checked. */
export interface StoredAnswers {
  labels: string[];
  columns: unknown;
  [field: string]: unknown;
}

/** Undefined if a column is missing or damaged. */
export type ParseAnswers<A> = (stored: StoredAnswers) => A | undefined;
/** 1 for each example whose answer is wrong, in part or as a whole. */
export type WrongAnswers<A> = (answers: A) => Uint8Array;
/** @param rows the rows of the examples */
export type AnswersInWords<A> = (
  answers: A,
  rows: readonly { text: string; choices?: readonly string[] }[],
) => AnswerWords;

/** The columns of every kind: one row for each validation example, in data order. */
export const COLUMNS = {
  /** The line in the data file where it starts, one-based. */
  line: Uint32Array,
  loss: Float64Array,
  /** The lead of the most likely answer over the next; of several answers, the smallest. 0 for a number. */
  margin: Float64Array,
  /** Tokens that the model reads, including special tokens. */
  tokens: Uint32Array,
  /** 1 if the text is longer than the model reads. */
  cut: Uint8Array,
} as const;

type Types = Record<string, Uint32ArrayConstructor | Float64ArrayConstructor | Uint8ArrayConstructor>;
/** The columns of a table, by the types of their arrays. */
export type ColumnsOf<T extends Types> = { [name in keyof T]: T[name]['prototype'] };
export type Columns = ColumnsOf<typeof COLUMNS>;
/** Columns as JSON has them. */
export type Lists = Record<string, number[]>;

export const arraysOf = <T extends Types>(types: T, lists: Lists): ColumnsOf<T> =>
  Object.fromEntries(
    Object.entries(types).map(([name, type]) => [name, type.from(lists[name])]),
  ) as unknown as ColumnsOf<T>;

export const commonColumns = (lists: Lists): Columns => arraysOf(COLUMNS, lists);

/**
 * @param ends the exclusive upper limits of columns that have one
 * @param least number of rows
 */
export function areColumns(
  value: unknown,
  types: Types,
  ends: Record<string, number>,
  least: number,
): value is Lists {
  if (typeof value !== 'object' || value === null) return false;
  const columns = value as Record<string, unknown>;
  const [first] = Object.keys(types);
  const rows = Array.isArray(columns[first]) ? columns[first].length : -1;
  if (rows < least) return false;
  return Object.entries(types).every(([name, type]) => {
    const column = columns[name];
    if (!Array.isArray(column) || column.length !== rows) return false;
    if (type === Float64Array) return column.every(Number.isFinite);
    const end = name === 'cut' ? 2 : (own(ends, name) ?? Infinity);
    return column.every((v) => Number.isSafeInteger(v) && (v as number) >= 0 && (v as number) < end);
  });
}

/**
 * The parts of each example that has any, in their order.
 *
 * @param examples the example of each part
 */
export function byExample<T>(examples: Uint32Array, part: (i: number) => T): Map<number, T[]> {
  const all = new Map<number, T[]>();
  examples.forEach((example, i) => {
    const known = all.get(example);
    if (known) known.push(part(i));
    else all.set(example, [part(i)]);
  });
  return all;
}
