import type { ErrorRecord } from '../../base/errors';

export interface AskedRow {
  file: string;
  /** The line's number, from 1. */
  line: number;
}

/** A row of a data file, or the head of a Parquet file: the program's argument, as JSON. */
export type Asked = AskedRow | { head: string };

/** The program's output, as JSON. */
export type Answer = { value?: unknown } | { error: ErrorRecord };

/** A reader that has more in memory ends itself. */
export const MOST_MEMORY_MB = 1024;
