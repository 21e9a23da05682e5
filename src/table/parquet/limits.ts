import { AuroraError } from '../../base/errors';
import { count } from '../../base/number-text';

/**
 * Limits of a Parquet file, which states in a few bytes how many values it has. All are far above what writers produce,
 * and grow with the file: only sizes that its bytes cannot explain are refused.
 */

/** V8 keeps a longer array as a hash table, in several times the memory. */
const MOST_VALUES = 2 ** 25;

/**
 * Values of a column in one row group, or rows of a file, that are allowed whatever its size. A writer's row groups
 * have at most 2^20 rows.
 */
const FREE_VALUES = 2 ** 22;

/** Values of a column in one row group, which are in memory at once. @param stored bytes of the row group */
export const mostValues = (stored: number): number => Math.min(MOST_VALUES, mostRows(stored));

/** Rows of a file of that many bytes: at least one bit for each. */
export const mostRows = (stored: number): number => Math.max(FREE_VALUES, 8 * stored);

const MB = 2 ** 20;

/** Decompressed bytes of a column in one row group. Texts are compressed to a tenth at best, repeated ones further. */
export const mostBytes = (stored: number): number =>
  Math.max(64 * MB, Math.min(1000 * stored, 1024 * MB), 10 * stored);

/** Bytes of the values that all of a file's rows have together: rows can share one long value of a dictionary. */
export const mostProduced = (size: number): number => Math.max(256 * MB, 200 * size);

/** Bytes and values of the footer: about a million column chunks. */
export const MOST_FOOTER = 64 * MB;
export const MOST_FOOTER_VALUES = 2 ** 23;

/** Values of a page's header. */
export const MOST_HEADER_VALUES = 1000;

/** The deepest nesting of lists and structs. */
export const MOST_LEVELS = 32;

/** Bytes of a decimal: with more, reading one takes quadratic time. 38 digits, the most that databases have, need 16. */
export const MOST_DECIMAL = 64;

/** A file states or contains more than its size explains. The message continues "FILE is not read: …". */
export class ExcessError extends Error {}

/** @param values "values" or "rows" @param where "row group 3 …" */
export const excess = (where: string, amount: number, unit: string, stored: number): ExcessError =>
  new ExcessError(`${where} has ${count(amount)} ${unit} in ${count(stored)} bytes`);

export const refused = (path: string, { message }: ExcessError): AuroraError =>
  new AuroraError(
    'data',
    `${path} is not read: ${message}, which would exhaust the memory.`,
    'Use this file only if you trust its source. To read it, rewrite it with smaller row groups, for example with row_group_size=100_000 in pandas.',
  );
