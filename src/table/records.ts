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

/** A data file whose columns are known; its records are read when they are asked for. */
export interface Table extends Omit<Records, 'records'> {
  /** The names of a column's labels in the file's own order, where it states them. */
  labelNames?(column: string): readonly string[] | undefined;
  /**
   * All records, part by part, each with at least these fields. Throws a data error where the file turns out to be
   * damaged.
   */
  records(columns: readonly string[]): Iterable<DataRecord[]> | AsyncIterable<DataRecord[]>;
}

export const INVALID_UTF8 = 'not valid UTF-8';
