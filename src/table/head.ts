/** The first rows of a data file. */
export interface DataHead {
  /** In file order; for JSON lines, in order of first appearance. */
  columns: Column[];
  /** Number of rows that were read. */
  rows: number;
  /** True if these are all the rows. */
  whole: boolean;
}

export interface Column {
  name: string;
  /** Every value that was read, as text: of lists, their items. Empty and missing values are omitted. */
  values: string[];
  /** True if its rows have lists, as of words. */
  lists?: true;
  /** The reason why its values cannot be read. */
  problem?: string;
}

/** Rows that are read at most. */
export const HEAD_ROWS = 1000;

/** Adds a row's value, without objects, which are neither texts nor labels. */
export function addValue(column: Column, value: unknown): void {
  if (Array.isArray(value)) column.lists = true;
  for (const item of Array.isArray(value) ? (value as unknown[]) : [value]) {
    const text = ['string', 'number', 'boolean'].includes(typeof item) ? String(item) : '';
    if (text.trim() !== '') column.values.push(text);
  }
}
