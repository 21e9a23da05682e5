import { brotliDecompressSync, gunzipSync, inflateRawSync } from 'node:zlib';
import { decompress as unpackZstd } from 'fzstd';
import type { CompressionCodec } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { AuroraError } from '../../base/errors';
import { count } from '../../base/number-text';

/** A page without its compression, which has as many bytes as its header states, however many its content asks for. */
type Decompress = (input: Uint8Array, length: number) => Uint8Array;

/** By the names of Parquet's codecs. Each throws an Error if a page is not as long as stated. */
export const DECOMPRESS: Partial<Record<CompressionCodec, Decompress>> = {
  UNCOMPRESSED: (input) => input,
  SNAPPY(input, length) {
    // The library writes as many bytes as the content states, into memory that it has made for `length`.
    if (statedBySnappy(input) !== length) throw new Error('a page is not as long as stated');
    return compressors.SNAPPY!(input, length);
  },
  GZIP: (input, length) =>
    (input[0] === 0x1f && input[1] === 0x8b ? gunzipSync : inflateRawSync)(input, limited(length)),
  BROTLI: (input, length) => brotliDecompressSync(input, limited(length)),
  ZSTD(input, length) {
    const stated = statedByZstd(input);
    if (stated !== undefined && stated !== length) throw new Error('a page is not as long as stated');
    return unpackZstd(input, new Uint8Array(length));
  },
  LZ4: (input, length) => compressors.LZ4!(input, length),
  LZ4_RAW: (input, length) => compressors.LZ4_RAW!(input, length),
};

/** Node refuses a limit of 0. */
const limited = (length: number) => ({ maxOutputLength: Math.max(1, length) });

/** A number of variable length at the beginning. */
function statedBySnappy(input: Uint8Array): number | undefined {
  let value = 0;
  for (let i = 0; i < Math.min(5, input.length); i++) {
    value += (input[i]! & 127) * 2 ** (7 * i);
    if (input[i]! < 128) return value;
  }
  return undefined;
}

/** The content's size in the header of a Zstandard frame (RFC 8878, 3.1.1.1); undefined if it is not stated. */
function statedByZstd(input: Uint8Array): number | undefined {
  const view = Buffer.from(input.buffer, input.byteOffset, input.length);
  if (input.length < 6 || view.readUInt32LE(0) !== 0xfd2fb528) throw new Error('not a Zstandard frame');
  const flags = input[4]!;
  const single = (flags >> 5) & 1;
  const at = 6 - single + [0, 1, 2, 4][flags & 3]!;
  const bytes = [single, 2, 4, 8][flags >> 6]!;
  if (bytes === 0) return undefined;
  if (at + bytes > input.length) throw new Error('a Zstandard frame is cut off');
  if (bytes === 8) return Number(view.readBigUInt64LE(at));
  return view.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0);
}

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
