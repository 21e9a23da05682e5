import { metricInfo, type MetricName } from '../../experiment/metrics';

/** The value of a cell; null if the run has no such value. Times are in ms since 1970, durations in seconds. */
export type Value = string | number | boolean | readonly string[] | null;

export type ColumnType = 'text' | 'number' | 'boolean' | 'list' | 'time' | 'duration';

export interface Column {
  /** Unique, and the name in filters: "accuracy", "loss.last", "adapter.rank". */
  key: string;
  /** Above the column, in English; the key of a setting, shortened if nothing else ends the same. */
  title: string;
  type: ColumnType;
  kind: 'run' | 'metric' | 'setting';
  /** Determines the format and which values are better. */
  metric?: MetricName;
  /** Part of the table until the user chooses columns. */
  shown: boolean;
  /** The value of all rows, for a setting that does not differ: rows have no cell for it. */
  same?: Value;
}

export interface Row {
  /** The run folder's path: the row's identity. */
  folder: string;
  /** The cells in the order of the columns. Columns with `same` come last and have none. */
  cells: readonly Value[];
  /** Its settings could not be read, so that it does not have those that all others share. */
  unread?: true;
  /** The commands for the run, as in the tree: an index into the list that comes with the rows. */
  can?: number;
}

/** Plain data, which pages and programs can be sent. */
export interface RunsTable {
  columns: readonly Column[];
  rows: readonly Row[];
}

/** A row's value in column number `at`. */
export const valueAt = (columns: readonly Column[], { cells, unread }: Row, at: number): Value =>
  (unread ? undefined : columns[at].same) ?? cells[at] ?? null;

export const columnAt = (columns: readonly Column[], key: string): number =>
  columns.findIndex((column) => column.key === key);

export const isNumeric = ({ type }: Column): boolean => type === 'number' || type === 'duration';

export interface SortKey {
  key: string;
  descending: boolean;
}

/** The order of a new table. */
export const NEWEST: SortKey = { key: 'started', descending: true };

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** Texts without regard to case, numbers in them by value. */
export const compareTexts = (a: string, b: string): number => collator.compare(a, b);

/** Two values of one column; a missing one is last in both directions. */
export function compareValues(a: Value, b: Value, descending = false): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const order = ascending(a, b);
  return descending ? -order : order;
}

function ascending(a: NonNullable<Value>, b: NonNullable<Value>): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  return compareTexts(String(a), String(b));
}

/**
 * Sorts into a new list: by the first key, equal ones by the next, and then as before. Missing values are last. Keys
 * that the table does not have are ignored.
 */
export function sortRows(columns: readonly Column[], rows: readonly Row[], keys: readonly SortKey[]): Row[] {
  const order = keys.flatMap(({ key, descending }) => {
    const at = columnAt(columns, key);
    return at < 0 ? [] : [{ at, descending }];
  });
  if (order.length === 0) return [...rows];
  return [...rows].sort((a, b) => {
    for (const { at, descending } of order) {
      const found = compareValues(valueAt(columns, a, at), valueAt(columns, b, at), descending);
      if (found !== 0) return found;
    }
    return 0;
  });
}

/** The direction that is useful first: the best metric, the newest run, starred runs. */
export const startsDescending = ({ metric, type }: Column): boolean =>
  metric ? metricInfo(metric).better === 'higher' : type === 'time' || type === 'boolean';
