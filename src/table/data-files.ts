import { gunzipSync } from 'node:zlib';
import { AuroraError } from '../base/errors';
import { readInput } from '../files/inputs/open';

/** The hint for a file without rows. */
export const EMPTY_HINT =
  'Fill it, or name another file in data.train, data.validation, data.test or data.evaluations.';

export type DataFormat = 'csv' | 'tsv' | 'jsonl' | 'conll' | 'parquet' | 'json';

const EXTENSIONS: Record<string, DataFormat> = {
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.conll': 'conll',
  '.iob': 'conll',
  '.iob2': 'conll',
  '.bio': 'conll',
  '.parquet': 'parquet',
  '.json': 'json',
};

/** The format by the file's name; `.gz` after it means compressed. Undefined for an unknown one. */
export function formatOf(path: string): DataFormat | undefined {
  const name = path.toLowerCase().replace(/\.gz$/, '');
  const extension = Object.keys(EXTENSIONS).find((e) => name.endsWith(e));
  return extension === undefined ? undefined : EXTENSIONS[extension];
}

/** The format of a file. Throws a data error that names the known ones. */
export function dataFormat(path: string): DataFormat {
  const format = formatOf(path);
  if (format === undefined)
    throw new AuroraError(
      'data',
      `${path}: the format of this file is not known.`,
      `Name it ${Object.keys(EXTENSIONS).join(', ')}, or one of these with .gz after it.`,
    );
  return format;
}

function readBytes(path: string): Buffer {
  try {
    return readInput(path, 'data');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_FS_FILE_TOO_LARGE') throw tooLarge(path, cause);
    throw unreadable(path, cause);
  }
}

const tooLarge = (path: string, cause: unknown): AuroraError =>
  new AuroraError(
    'data',
    `${path} is too large to be read into memory, as files of its kind are.`,
    'Write it as .jsonl, .csv or .tsv, uncompressed: rows of texts are then read one by one (docs/data.md, "Large files").',
    { cause },
  );

/** The data error for an error of the file system. */
export function unreadable(path: string, cause: unknown): AuroraError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT')
    return new AuroraError(
      'data',
      `${path} does not exist.`,
      'Check data.train, data.validation, data.test and data.evaluations in the experiment; paths are relative to its file.',
      { cause },
    );
  const why = code === 'EISDIR' ? 'is a folder, not a file' : `cannot be read: ${message}`;
  return new AuroraError('data', `${path} ${why}.`, undefined, { cause });
}

/**
 * Bytes of a compressed text. Texts are compressed to a tenth, and a file of zeros to a thousandth: 20 KB of gzip can hold five
 * million short rows, which take gigabytes.
 */
const mostText = (stored: number): number => Math.max(2 ** 23, Math.min(200 * stored, 2 ** 31));

function gunzip(path: string, bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: mostText(bytes.length) });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(path, cause);
    throw new AuroraError(
      'data',
      `${path} is not a whole gzip file: ${(cause as Error).message}.`,
      'Copy or download it again, or drop .gz from its name if it is not compressed.',
      { cause },
    );
  }
}

/** The bytes of a data file, decompressed and without a byte order mark. Throws a data error if there are none. */
export function readDataFile(path: string): Buffer {
  const stored = readBytes(path);
  const bytes = /\.gz$/i.test(path) ? gunzip(path, stored) : stored;
  requireText(path, bytes);
  return withoutMark(bytes);
}

/** @param bytes the first ones. @throws AuroraError 'data' if there are none, or UTF-16 */
export function requireText(path: string, bytes: Buffer): void {
  if (bytes.length === 0) throw new AuroraError('emptyData', `${path} is empty.`, EMPTY_HINT);
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    throw new AuroraError('data', `${path} is UTF-16.`, 'Save it as UTF-8.');
}

/** Without the byte order mark of UTF-8. */
export const withoutMark = (bytes: Buffer): Buffer =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
