import { stat } from 'node:fs/promises';
import { constants, createGunzip } from 'node:zlib';
import { AuroraError } from '../../base/errors';
import type { DataSpec } from '../../experiment/experiment';
import { filesOfLater } from '../../files/pattern';
import { openStored } from '../../files/read';
import { parseConll } from '../../table/conll';
import { delimitedHead } from '../../table/delimited';
import { formatOf, withoutMark } from '../../table/data-files';
import { addValue, type Column, type DataHead, HEAD_ROWS } from '../../table/head';
import { itemsOf } from '../../table/json';
import type { DelimitedOptions } from '../../table/quoting';
import { askForHead, type Reader } from '../data-worker/ask-data-worker';

/** Maximum bytes read from the file, compressed or not, and maximum text produced from them. */
const STORED = 64 * 1024;
const TEXT = 256 * 1024;

/** A file with this name is surely data; `.json` can be anything. */
export const DATA_FILE = /\.(csv|tsv|jsonl|ndjson|conll|iob2?|bio)(\.gz)?$|\.parquet$/i;

/** The settings by which an experiment's files are read. */
export type HeadOptions = Pick<DataSpec, 'header' | 'quoting'>;

/**
 * Columns and first values of a data file, as the trainer reads it. Reads only the start of the file. Undefined if the
 * extension is unknown or the content cannot be parsed; the trainer reports why. If a pattern names several files, the
 * first is read.
 *
 * @param reader of Parquet files
 * @throws AuroraError if a Parquet file is refused, or the file system's error if a file cannot be opened
 */
export async function readDataHead(
  named: string,
  options: HeadOptions = {},
  reader?: Reader,
): Promise<DataHead | undefined> {
  const [path, ...others] = await filesOfLater(named);
  const head = await headOfFile(path!, options, reader);
  return head && others.length > 0 ? { ...head, whole: false } : head;
}

async function headOfFile(
  path: string,
  options: HeadOptions,
  reader: Reader | undefined,
): Promise<DataHead | undefined> {
  const format = formatOf(path);
  if (format === undefined) return undefined;
  if (format === 'parquet') return askForHead(path, reader);
  const stored = await firstBytes(path);
  const zipped = /\.gz$/i.test(path);
  const begin = zipped ? await unzipBegin(stored.bytes, stored.whole) : stored;
  const bytes = withoutMark(begin.bytes);
  if (format === 'jsonl') return jsonLines(bytes.toString('utf8'), begin.whole);
  if (format === 'json') return jsonArray(path, bytes, begin.whole);
  if (format === 'conll') return conll(bytes, begin.whole);
  return delimited(bytes, { ...options, delimiter: format === 'csv' ? ',' : '\t' }, begin.whole);
}

async function firstBytes(path: string): Promise<{ bytes: Buffer; whole: boolean }> {
  const file = await openStored(path);
  try {
    const buffer = Buffer.alloc(STORED);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, STORED - length, length);
      length += bytesRead;
      if (bytesRead === 0) return { bytes: buffer.subarray(0, length), whole: true };
      if (length === STORED) return { bytes: buffer, whole: (await file.stat()).size === STORED };
    }
  } finally {
    await file.close();
  }
}

/** Decompresses the start of a gzip file. The missing end of truncated input is not an error. */
function unzipBegin(stored: Buffer, whole: boolean): Promise<{ bytes: Buffer; whole: boolean }> {
  return new Promise((done) => {
    const parts: Buffer[] = [];
    let length = 0;
    const unzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
    const end = (complete: boolean) => {
      unzip.removeAllListeners('data');
      done({ bytes: Buffer.concat(parts).subarray(0, TEXT), whole: complete && length <= TEXT });
    };
    unzip.on('data', (part: Buffer) => {
      parts.push(part);
      length += part.length;
      if (length <= TEXT) return;
      end(false);
      unzip.destroy();
    });
    unzip.on('end', () => end(whole));
    unzip.on('error', () => end(false));
    unzip.end(stored);
  });
}

function delimited(bytes: Buffer, options: DelimitedOptions, whole: boolean): DataHead | undefined {
  const head = readable(() => delimitedHead(bytes, options, HEAD_ROWS + 1, whole));
  if (!head) return undefined;
  const columns = head.columns.map((name): Column => ({ name, values: [] }));
  const rows = head.rows.slice(0, HEAD_ROWS);
  // Counted by the rows' cells: columns times rows is far more if a wide header has short rows.
  for (const row of rows)
    for (const [i, field] of row.slice(0, columns.length).entries()) addValue(columns[i]!, field);
  return { columns, rows: rows.length, whole: whole && head.rows.length < HEAD_ROWS };
}

/** Undefined for an AuroraError. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (e) {
    if (e instanceof AuroraError) return undefined;
    throw e;
  }
}

/** A value for each word. */
function conll(bytes: Buffer, whole: boolean): DataHead | undefined {
  // A character may be cut, and so may the last sentence.
  const { columns, records } = parseConll(whole ? bytes : bytes.subarray(0, bytes.lastIndexOf('\n') + 1));
  if (!whole) records.pop();
  const sentences = records.flatMap((r) => ('fields' in r ? [r.fields] : [])).slice(0, HEAD_ROWS);
  if (sentences.length === 0) return undefined;
  return {
    columns: columns.map((name) => ({
      name,
      values: sentences.flatMap((s) => s.get(name) as string[]),
      lists: true,
    })),
    rows: sentences.length,
    whole: whole && records.length < HEAD_ROWS,
  };
}

function jsonLines(text: string, whole: boolean): DataHead | undefined {
  const lines = text.split('\n');
  if (!whole) lines.pop();
  return jsonObjects(lines, whole);
}

const jsonArray = (path: string, bytes: Buffer, whole: boolean): DataHead | undefined =>
  readable(() => jsonObjects(itemTexts(path, bytes, whole), whole));

function* itemTexts(path: string, bytes: Buffer, whole: boolean): Generator<string> {
  for (const { start, end } of itemsOf(path, bytes, whole)) yield bytes.toString('utf8', start, end);
}

/** @param texts each one object, or something that is not read */
function jsonObjects(texts: Iterable<string>, whole: boolean): DataHead | undefined {
  const columns = new Map<string, Column>();
  let rows = 0;
  for (const text of texts) {
    if (rows === HEAD_ROWS) break;
    const row = jsonObject(text);
    if (!row) continue;
    rows++;
    for (const [name, field] of Object.entries(row)) {
      const column: Column = columns.get(name) ?? { name, values: [] };
      columns.set(name, column);
      addValue(column, field);
    }
  }
  if (rows === 0) return undefined;
  return {
    columns: [...columns.values()],
    rows,
    whole: whole && rows < HEAD_ROWS,
  };
}

function jsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** The first rows of a few data files, read again when a file's size or modification time changes. */
export class HeadCache {
  private readonly known = new Map<string, { key: string; head: Promise<DataHead | undefined> }>();

  /** Rejects as `readDataHead`. */
  async read(path: string, options: HeadOptions = {}): Promise<DataHead | undefined> {
    const files = await filesOfLater(path);
    const { size, mtimeMs } = await stat(files[0]!);
    const key = `${files.length} ${files[0]} ${size} ${mtimeMs} ${options.header} ${options.quoting}`;
    const there = this.known.get(path);
    if (there?.key === key) return there.head;
    // Evicts the oldest: an experiment names two files, and few experiments are open in a window.
    if (this.known.size >= 16) this.known.delete(this.known.keys().next().value!);
    const head = readDataHead(path, options);
    this.known.set(path, { key, head });
    return head;
  }
}
