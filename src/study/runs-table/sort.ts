import { metricInfo } from '../../experiment/metrics';
import { columnAt, valueAt, type Column, type Row, type Value } from './table';

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
