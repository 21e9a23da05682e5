import type { Quotes } from './quoting';

/**
 * A record of a data file before its text and label are picked: its fields by column, or the reason why it has none.
 */
export type DataRecord = { line: number; fields: Fields } | { line: number; problem: string };

/** The values of one record. A map, or for wide tables a row and the places of its columns. */
export interface Fields {
  get(column: string): unknown;
}

export interface Records {
  /** In the order of the file, for JSONL of first appearance. */
  columns: string[];
  records: DataRecord[];
  /** The treatment of a file's quotes if its content decided. */
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

/** A record with the bytes that it was read from, and where they are in the file. */
export interface PlacedRecord {
  record: DataRecord;
  start: number;
  bytes: Buffer;
}

/** A file that is read piece by piece, and whose records can be read again one by one, in any order. */
export interface PlacedTable extends Pick<Records, 'quotes'> {
  /** The columns that have occurred so far, in the order of Records. */
  columns(): string[];
  /** All records. Their bytes are overwritten by the next piece. */
  pieces(): Iterable<PlacedRecord[]> | AsyncIterable<PlacedRecord[]>;
  /** The number of the file's bytes that had been read with this record. */
  bytesRead(record: PlacedRecord): number;
  /** A function that reads a record again. @param columns all of the file's */
  reader(columns: readonly string[]): (bytes: Buffer, line: number) => DataRecord;
}

export const INVALID_UTF8 = 'not valid UTF-8';
