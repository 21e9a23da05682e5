import { flagOf } from '../../table/flags';
import type { Column, DataHead } from '../../table/head';

const COLUMN_KEYS: readonly unknown[] = [
  'textColumn',
  'textPairColumn',
  'labelColumn',
  'completionColumn',
  'messagesColumn',
];
const COLUMNS_KEY = 'labelColumns';

/** Whether the value at a path names a column. */
export const namesColumn = ([part, key, index, ...rest]: readonly unknown[]): boolean =>
  part === 'data' &&
  rest.length === 0 &&
  (index === undefined ? COLUMN_KEYS.includes(key) : key === COLUMNS_KEY);

export interface ColumnFacts {
  name: string;
  /** Distinct values in the rows that were read. */
  distinct: number;
  /** Mean length of the values, in characters. */
  meanLength: number;
  /** The first values, shortened. */
  samples: string[];
}

export function columnFacts({ name, values }: Column): ColumnFacts {
  const total = values.reduce((sum, v) => sum + v.length, 0);
  return {
    name,
    distinct: new Set(values).size,
    meanLength: values.length > 0 ? total / values.length : 0,
    samples: [...new Set(values)].slice(0, 3).map((v) => shorten(v, 60)),
  };
}

/** The names of the columns with 0 and 1, of which each may stand for a label. */
export const flagColumns = ({ columns }: DataHead): string[] =>
  columns
    .filter(
      ({ values, lists }) => !lists && values.length > 0 && values.every((v) => flagOf(v) !== undefined),
    )
    .map((c) => c.name);

/** On one line, truncated with an ellipsis. */
export function shorten(text: string, length: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}

const TEXT_NAMES = ['text', 'sentence', 'content', 'description', 'body', 'message', 'review', 'document'];
const LABEL_NAMES = ['label', 'labels', 'class', 'category', 'target', 'section', 'sentiment', 'y'];

/**
 * Guesses the text and label columns: first by common names; otherwise the longest values are the text, and the fewest
 * distinct values that repeat are the label. Undefined if nothing fits.
 */
export function guessColumns(head: DataHead): { text?: string; label?: string } {
  const facts = head.columns.filter((c) => !c.lists).map(columnFacts);
  const named = (names: string[]) =>
    names.map((n) => facts.find((f) => f.name.toLowerCase() === n)).find((f) => f !== undefined);
  const usable = facts.filter((f) => f.distinct > 0);
  const text =
    named(TEXT_NAMES) ??
    usable.filter((f) => f.meanLength >= 4).sort((a, b) => b.meanLength - a.meanLength)[0];
  const repeats = (f: ColumnFacts) => f.distinct >= 2 && f.distinct <= Math.max(2, head.rows / 2);
  const label =
    named(LABEL_NAMES.filter((n) => n !== text?.name.toLowerCase())) ??
    usable.filter((f) => f !== text && repeats(f)).sort((a, b) => a.distinct - b.distinct)[0];
  return {
    ...(text && { text: text.name }),
    ...(label && label !== text && { label: label.name }),
  };
}

/** Finds the other split by name: "train.csv" beside "validation.csv", "dev.csv" or "test.csv". */
export function guessValidation(train: string, others: readonly string[]): string | undefined {
  if (!/train/i.test(train)) return undefined;
  const wanted = ['validation', 'valid', 'val', 'dev', 'test'].flatMap((word) => [
    train.replace(/training/i, word),
    train.replace(/train/i, word),
  ]);
  return wanted.find((w) => w !== train && others.includes(w));
}
