import type { FileHandle } from 'node:fs/promises';
import { parquetSchema, type AsyncBuffer, type FileMetaData, type SchemaTree } from 'hyparquet';
import { AuroraError } from '../base/errors';
import { openInputLater } from '../files/inputs/open';
import { classNames } from './class-names';
import { EMPTY_HINT, unreadable } from './data-files';
import { hasTimes, withTimes } from './parquet-times';
import { iso, readColumn } from './parquet/column';
import { DECOMPRESS, excess, ExcessError, mostProduced, MOST_DECIMAL, refused } from './parquet/decompress';
import { readFooter } from './parquet/footer';
import type { DataRecord, Table } from './records';

const AGAIN = 'Copy or download it again.';

/** Rows that are made into records at once: those of a row group can be far more. */
const PORTION = 2048;

/** Rows by their places from 0, without the last one. */
interface RowRange {
  start: number;
  end: number;
}

export interface ParquetTable extends Table {
  rows: number;
  /** The stored size of a column in the first row group, in bytes. */
  firstBytes(column: string): number;
  records(columns: readonly string[], range?: RowRange): AsyncGenerator<DataRecord[]>;
}

/**
 * A Parquet file, of which only the columns that are asked for are read, one row group after the other. Its metadata is
 * checked first: a few bytes can state any number of rows. Values are strings, numbers (int64 that are not exact as
 * one: strings), booleans, ISO 8601 for dates and times, bytes, lists, and objects for structs and maps. The numbers of
 * a ClassLabel of the hub's data sets are replaced by their names.
 *
 * @throws AuroraError 'data' if the file is missing, damaged, encrypted, compressed in an unknown way or far larger than
 *   its bytes explain, also while records are read
 */
export async function openParquet(path: string): Promise<ParquetTable> {
  if (/\.gz$/i.test(path))
    throw new AuroraError(
      'data',
      `${path}: Parquet files are not read from .gz.`,
      'Decompress it: a Parquet file is compressed inside.',
    );
  const metadata = await withFile(path, (file) => metadataOf(path, file));
  const schema = await reading(path, () => parquetSchema(metadata));
  const columns = schema.children.map((child) => child.element.name);
  if (!columns.every((name) => typeof name === 'string')) throw damaged(path, 'a column has no name');
  const described = metadata.key_value_metadata?.find(({ key }) => key === 'huggingface')?.value;
  const names = await reading(path, () => classNames(described));
  return {
    columns,
    rows: Number(metadata.num_rows),
    labelNames: (column) => names.get(column),
    firstBytes: (column) =>
      (metadata.row_groups[0]?.columns ?? [])
        .filter(({ meta_data }) => meta_data?.path_in_schema[0] === column)
        .reduce((sum, { meta_data }) => sum + Number(meta_data!.total_compressed_size), 0),
    async *records(wanted, range = { start: 0, end: Infinity }) {
      const file = await openFile(path);
      try {
        yield* recordsIn(path, file.buffer, metadata, schema, wanted, names, range);
      } finally {
        await file.handle.close();
      }
    },
  };
}

async function* recordsIn(
  path: string,
  file: AsyncBuffer,
  metadata: FileMetaData,
  schema: SchemaTree,
  wanted: readonly string[],
  names: ReadonlyMap<string, readonly string[]>,
  range: RowRange,
): AsyncGenerator<DataRecord[]> {
  const columns = schema.children
    .filter(({ element }) => wanted.includes(element.name))
    .map((child) => {
      const { name } = child.element;
      requireReadable(path, metadata, name);
      requireKnownType(path, name, child);
      return { name, labels: names.get(name), times: hasTimes(child) ? child : undefined, child };
    });
  const produced = new Produced(file.byteLength);
  let end = 0;
  for (const [g, group] of metadata.row_groups.entries()) {
    const first = end;
    const rowStart = Math.max(end, range.start);
    end += Number(group.num_rows);
    const rowEnd = Math.min(end, range.end);
    if (rowStart >= rowEnd) continue;
    const values = new Map<string, ArrayLike<unknown>>();
    for (const { name, child } of columns) {
      const where = `the column "${name}" of row group ${g + 1}`;
      const rows = { start: rowStart - first, end: rowEnd - first };
      const found = await reading(path, () => readColumn(file, { metadata, group, child, where }, rows));
      if (found.length !== rowEnd - rowStart)
        throw damaged(path, `${found.length} values of "${name}" in ${rowEnd - rowStart} rows`);
      values.set(name, found);
    }
    const recordAt = (i: number): DataRecord => {
      const line = rowStart + i + 1;
      const fields = new Map<string, unknown>();
      for (const { name, labels, times } of columns) {
        const stored = values.get(name)![i];
        const value = produced.plain(times ? withTimes(stored, times) : stored);
        const problem = labels && labelProblem(name, value, labels);
        if (problem !== undefined) return { line, problem };
        fields.set(name, labels ? named(value, labels) : value);
      }
      return { line, fields };
    };
    for (let from = 0; from < rowEnd - rowStart; from += PORTION) {
      const length = Math.min(PORTION, rowEnd - rowStart - from);
      yield await reading(path, () => Array.from({ length }, (_, i) => recordAt(from + i)));
    }
  }
}

/** Bytes that a value takes beside its content. */
const VALUE_BYTES = 8;

/** The values that a file's records get, and how many bytes they have had together. */
class Produced {
  private bytes = 0;

  /** @param size of the file */
  constructor(private readonly size: number) {}

  /** The value in JSON's types and bytes. @throws ExcessError if the records have become far larger than the file */
  plain(value: unknown): unknown {
    this.count(value);
    if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    if (value instanceof Date) return iso(value);
    if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((item) => this.plain(item));
    return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, this.plain(v)]));
  }

  private count(value: unknown): void {
    const content = typeof value === 'string' || value instanceof Uint8Array ? value.length : 0;
    this.bytes += VALUE_BYTES + content;
    if (this.bytes > mostProduced(this.size))
      throw excess('the text of its rows', this.bytes, 'bytes', this.size);
  }
}

/** Data sets of the hub have -1 where a label is not published. */
function labelProblem(column: string, value: unknown, names: readonly string[]): string | undefined {
  const wrong = (Array.isArray(value) ? value.flat(Infinity) : [value]).find(
    (v) => typeof v === 'number' && names[v] === undefined,
  );
  if (wrong === undefined) return undefined;
  return wrong === -1
    ? `"${column}" is -1: the label is not published`
    : `"${column}" is ${String(wrong)}, but the file names only ${names.length} labels, from 0`;
}

const named = (value: unknown, names: readonly string[]): unknown =>
  Array.isArray(value) ? value.map((v) => named(v, names)) : typeof value === 'number' ? names[value] : value;

async function metadataOf(path: string, file: AsyncBuffer): Promise<FileMetaData> {
  const size = file.byteLength;
  if (size === 0) throw new AuroraError('emptyData', `${path} is empty.`, EMPTY_HINT);
  const magic = async (at: number) => Buffer.from(await file.slice(at, at + 4)).toString('latin1');
  const [first, last] = size < 12 ? ['', ''] : [await magic(0), await magic(size - 4)];
  if (first === 'PARE' || last === 'PARE') throw encrypted(path, 'is encrypted');
  if (first !== 'PAR1')
    throw new AuroraError(
      'data',
      `${path} is not a Parquet file.`,
      'If it is a pointer of Git LFS, get the file itself with `git lfs pull`.',
    );
  if (last !== 'PAR1')
    throw new AuroraError('data', `${path} does not end as a Parquet file does: it is cut off.`, AGAIN);
  return reading(path, () => readFooter(file));
}

/** @throws AuroraError 'data' if a part of the column is encrypted or compressed in an unknown way */
function requireReadable(path: string, { row_groups }: FileMetaData, column: string): void {
  for (const { columns } of row_groups)
    for (const { meta_data, crypto_metadata } of columns) {
      if (crypto_metadata !== undefined && (!meta_data || meta_data.path_in_schema[0] === column))
        throw encrypted(path, `has the encrypted column "${column}"`);
      if (meta_data?.path_in_schema[0] !== column) continue;
      const { codec } = meta_data;
      if (!(codec && DECOMPRESS[codec]))
        throw new AuroraError(
          'data',
          `${path}: the column "${column}" is compressed with ${codec ?? 'an unknown method'}, which cannot be read.`,
          'Rewrite the file with Snappy or Zstandard compression.',
        );
    }
}

/** @throws AuroraError 'data' if the column has values of a type that is not read */
function requireKnownType(path: string, column: string, { element, children }: SchemaTree): void {
  const type = unknownType(element);
  if (type !== undefined)
    throw new AuroraError(
      'data',
      `${path}: the column "${column}" has ${type}, which cannot be read.`,
      'Name another column, or write the file again with this one as text.',
    );
  for (const child of children) requireKnownType(path, column, child);
}

/** The library does not read the first two. The others can take unlimited time or memory to read. */
function unknownType({ type, type_length, converted_type, logical_type }: SchemaTree['element']) {
  if (converted_type === 'INTERVAL') return 'intervals';
  if (converted_type === 'BSON') return 'BSON';
  const logical = String(logical_type?.type);
  if (['VARIANT', 'GEOMETRY', 'GEOGRAPHY'].includes(logical)) return `values of the type ${logical}`;
  if (converted_type !== 'DECIMAL') return undefined;
  const bytes = type === 'FIXED_LEN_BYTE_ARRAY' ? type_length! : type === 'BYTE_ARRAY' ? Infinity : 8;
  return bytes > MOST_DECIMAL ? `decimals of more than ${MOST_DECIMAL} bytes` : undefined;
}

const encrypted = (path: string, what: string): AuroraError =>
  new AuroraError('data', `${path} ${what}.`, 'Write it again without encryption.');

const damaged = (path: string, why: string, cause?: unknown): AuroraError =>
  new AuroraError(
    'data',
    `${path} cannot be read: it is damaged, or written in a way that is not known here (${why}).`,
    `${AGAIN} If that does not help, rewrite it with another program.`,
    {
      cause,
    },
  );

/** All errors of the library are about the file's content, or from the file system. */
async function reading<T>(path: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof AuroraError) throw cause;
    if (cause instanceof ExcessError) throw refused(path, cause);
    throw damaged(path, (cause as Error).message, cause);
  }
}

async function withFile<T>(path: string, use: (file: AsyncBuffer) => Promise<T>): Promise<T> {
  const { buffer, handle } = await openFile(path);
  try {
    return await use(buffer);
  } finally {
    await handle.close();
  }
}

/** A file as the library reads it: part by part. */
async function openFile(path: string): Promise<{ buffer: AsyncBuffer; handle: FileHandle }> {
  const handle = await openInputLater(path, 'data').catch((cause) => {
    throw unreadable(path, cause);
  });
  const { size } = await handle.stat();
  return {
    handle,
    buffer: {
      byteLength: size,
      async slice(start, end = size) {
        if (!(start >= 0 && start <= end && end <= size)) throw damaged(path, 'a part of it is missing');
        const part = new Uint8Array(end - start);
        for (let length = 0; length < part.length;) {
          const { bytesRead } = await handle
            .read(part, length, part.length - length, start + length)
            .catch((cause) => {
              throw unreadable(path, cause);
            });
          if (bytesRead === 0) throw damaged(path, 'it was truncated while it was read');
          length += bytesRead;
        }
        return part.buffer;
      },
    },
  };
}
