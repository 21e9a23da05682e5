import { flagOf } from '../../table/flags';
import type { Column, DataHead } from '../../table/head';

const COLUMN_KEYS: readonly unknown[] = [
  'textColumn',
  'imageColumn',
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
