import { summarize, type Summary } from '../statistics/summary';
import { compareValues, type SortKey } from './sort';
import { columnAt, isNumeric, valueAt, type Column, type Row, type Value } from './table';

/** Rows with the same value in one column. */
export interface RowGroup {
  value: Value;
  /** In their order. */
  rows: Row[];
  /**
   * By column: how many rows have a value, their mean, and their sample standard deviation (n - 1), which one value does not
   * have.
   */
  summaries: ReadonlyMap<string, Summary>;
}

/**
 * Groups in the order of their values, rows without a value last; with `sort`, in the order of the means in that column, or
 * of the group's own column.
 *
 * @param key the column to group by
 */
export function groupRows(
  columns: readonly Column[],
  rows: readonly Row[],
  key: string,
  sort?: SortKey,
): RowGroup[] {
  const at = columnAt(columns, key);
  const found = new Map<string, { value: Value; rows: Row[] }>();
  for (const row of rows) {
    const value = at < 0 ? null : valueAt(columns, row, at);
    const id = JSON.stringify(value);
    const group = found.get(id);
    if (group) group.rows.push(row);
    else found.set(id, { value, rows: [row] });
  }
  const groups = [...found.values()].map((group) => ({
    ...group,
    summaries: summariesOf(columns, group.rows),
  }));
  const bySort = sort && sort.key !== key ? sort : undefined;
  return groups.sort(
    (a, b) =>
      (bySort ? compareValues(meanIn(a, bySort.key), meanIn(b, bySort.key), bySort.descending) : 0) ||
      compareValues(a.value, b.value, sort?.key === key && sort.descending),
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
