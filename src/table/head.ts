/** The first rows of a data file. */
export interface DataHead {
  /** In file order; for JSON lines, in order of first appearance. */
  columns: Column[];
  /** Number of rows that were read. */
  rows: number;
  /** Whether these are all the rows. */
  whole: boolean;
}

export interface Column {
  name: string;
  /** Every value that was read, as text. Empty and missing values are omitted, as are those that are no texts. */
  values: string[];
}

/** Rows that are read at most. */
export const HEAD_ROWS = 1000;

/** A value as text; undefined if it is empty or missing, or a list or an object: those are neither texts nor labels. */
export function shownValue(value: unknown): string | undefined {
  const text = ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : '';
  return text.trim() === '' ? undefined : text;
}
