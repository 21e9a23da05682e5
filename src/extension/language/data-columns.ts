import type { JSONPath } from 'jsonc-parser';
import type { AuroraError } from '../../base/errors';
import { own } from '../../base/names';
import { flagOf } from '../../table/flags';
import type { Column, DataHead } from '../../table/head';

const COLUMN_KEYS: readonly unknown[] = [
  'textColumn',
  'imageColumn',
  'textPairColumn',
  'labelColumn',
  'completionColumn',
  'choicesColumn',
  'messagesColumn',
];
const COLUMNS_KEYS: readonly unknown[] = ['labelColumns', 'choiceColumns'];

/** True if the value at a path names a column: of all files, or of a set in data.evaluations. */
export function namesColumn(path: readonly unknown[]): boolean {
  const [part, key, index, ...rest] = setOf(path) === undefined ? path : ['data', ...path.slice(3)];
  return (
    part === 'data' &&
    rest.length === 0 &&
    (index === undefined ? COLUMN_KEYS.includes(key) : COLUMNS_KEYS.includes(key))
  );
}

/** The name of the set in data.evaluations that a path leads into. */
export const setOf = ([part, key, name]: readonly unknown[]): string | undefined =>
  part === 'data' && key === 'evaluations' && typeof name === 'string' ? name : undefined;

/** The facts about an experiment's files, as far as they can be read. */
export interface DataHeads {
  train?: DataHead;
  validation?: DataHead;
  test?: DataHead;
  /** By the name in data.evaluations. */
  evaluations?: Record<string, DataHead>;
}

/** A data file that cannot be read, and the key that names it. */
export interface RefusedFile {
  path: JSONPath;
  error: AuroraError;
}

/** The file whose columns a path names: that of its set, otherwise the training file. */
export function headOf(heads: DataHeads, path: readonly unknown[]): DataHead | undefined {
  const set = setOf(path);
  return set === undefined ? heads.train : own(heads.evaluations ?? {}, set);
}

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

/** The first of these names that a column has. */
export const named = <T extends { name: string }>(
  all: readonly T[],
  names: readonly string[],
): T | undefined =>
  names.map((name) => all.find((c) => c.name.toLowerCase() === name)).find((c) => c !== undefined);

/** The names of the columns with 0 and 1, of which each may stand for a label. */
export const flagColumns = ({ columns }: DataHead): string[] =>
  columns
    .filter(
      ({ values, lists }) => !lists && values.length > 0 && values.every((v) => flagOf(v) !== undefined),
    )
    .map((c) => c.name);

/** Shortens a string to one line, truncated with an ellipsis. */
export function shorten(text: string, length: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}
