import { csv } from '../../base/csv';
import type { RowGroup } from './group';
import { type Column, columnAt, isNumeric, type Row, type Value, valueAt } from './table';

/**
 * The rows as CSV with all digits, under the columns' keys: times in ISO 8601 (UTC), durations in seconds. Reading the
 * numbers back gives the same float64 values.
 */
export function rowsCsv(columns: readonly Column[], keys: readonly string[], rows: readonly Row[]): string {
  const places = keys.map((key) => columnAt(columns, key)).filter((at) => at >= 0);
  return csv([
    [...places.map((at) => columns[at].key), 'folder'],
    ...rows.map((row) => [...places.map((at) => plain(columns[at], valueAt(columns, row, at))), row.folder]),
  ]);
}

function plain({ type }: Column, value: Value): string | number {
  if (value === null) return '';
  if (type === 'time' && typeof value === 'number') return new Date(value).toISOString();
  if (Array.isArray(value)) return value.join('; ');
  return typeof value === 'number' ? value : String(value);
}

/** Each group's values, its number of runs, and of each number how many have one, their mean and their standard deviation. */
export function groupsCsv(
  columns: readonly Column[],
  keys: readonly string[],
  by: readonly string[],
  groups: readonly RowGroup[],
): string {
  const grouped = by.map((key) => columns[columnAt(columns, key)]);
  const numbers = keys.filter((key) => !by.includes(key) && isNumeric(columns[columnAt(columns, key)]));
  return csv([
    [...by, 'runs', ...numbers.flatMap((key) => [`${key}.n`, `${key}.mean`, `${key}.deviation`])],
    ...groups.map(({ values, rows, summaries }) => [
      ...values.map((value, i) => plain(grouped[i], value)),
      rows.length,
      ...numbers.flatMap((key) => {
        const { n, mean, deviation } = summaries.get(key) ?? { n: 0, mean: undefined, deviation: undefined };
        return [n, mean ?? '', deviation ?? ''];
      }),
    ]),
  ]);
}
