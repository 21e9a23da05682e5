import type { Quotes } from './quoting';

/** One record of a data file before its text and label are picked: its fields by column, or why there are none. */
export type DataRecord = { line: number; fields: Fields } | { line: number; problem: string };

/** The values of one record. A map, or for wide tables a row and the places of its columns. */
export interface Fields {
  get(column: string): unknown;
}

export interface Records {
  /** In the order of the file, for JSONL of first appearance. */
  columns: string[];
  records: DataRecord[];
  /** How the quotes of a file are read where that was for its content to decide. */
  quotes?: Quotes;
}

export const INVALID_UTF8 = 'not valid UTF-8';
