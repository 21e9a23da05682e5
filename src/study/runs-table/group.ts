import { summarize, type Summary } from '../statistics/summary';
import {
  compareValues,
  type SortKey,
  columnAt,
  isNumeric,
  valueAt,
  type Column,
  type Row,
  type Value,
} from './table';

/** Rows with the same values in the columns that are grouped by. */
export interface RowGroup {
  /** In the order of those columns. */
  values: Value[];
  /** In their order. */
  rows: Row[];
  /**
   * By column: the number of rows with a value, their mean, and their sample standard deviation (n - 1), which one
   * value does not have.
   */
  summaries: ReadonlyMap<string, Summary>;
}

/** A table is grouped by at most this many columns. */
export const MOST_GROUPED = 2;

/**
 * Groups in the order of their values, rows without a value last; with `sort`, in the order of the means in that column, or
 * of the values in a column that is grouped by.
 *
 * @param keys the columns to group by
 */
export function groupRows(
  columns: readonly Column[],
  rows: readonly Row[],
  keys: readonly string[],
  sort?: SortKey,
): RowGroup[] {
  const places = keys.map((key) => columnAt(columns, key));
  const found = new Map<string, { values: Value[]; rows: Row[] }>();
  for (const row of rows) {
    const values = places.map((at) => (at < 0 ? null : valueAt(columns, row, at)));
    const id = JSON.stringify(values);
    const group = found.get(id);
    if (group) group.rows.push(row);
    else found.set(id, { values, rows: [row] });
  }
  const groups = [...found.values()].map((group) => ({
    ...group,
    summaries: summariesOf(columns, group.rows),
  }));
  const sorted = sort ? keys.indexOf(sort.key) : -1;
  const bySort = sort && sorted < 0 ? sort : undefined;
  const order = sorted > 0 ? [sorted, ...keys.keys()] : [...keys.keys()];
  return groups.sort(
    (a, b) =>
      (bySort ? compareValues(meanIn(a, bySort.key), meanIn(b, bySort.key), bySort.descending) : 0) ||
      order
        .map((i) => compareValues(a.values[i], b.values[i], i === sorted && sort!.descending))
        .find((compared) => compared !== 0) ||
      0,
  );
}

const meanIn = ({ summaries }: RowGroup, key: string): Value => summaries.get(key)?.mean ?? null;

function summariesOf(columns: readonly Column[], rows: readonly Row[]): Map<string, Summary> {
  const found = new Map<string, Summary>();
  columns.forEach((column, at) => {
    if (!isNumeric(column)) return;
    const values = rows
      .map((row) => valueAt(columns, row, at))
      .filter((value): value is number => typeof value === 'number');
    if (values.length > 0) found.set(column.key, summarize(values));
  });
  return found;
}
