import { open } from 'node:fs/promises';
import { constants, createGunzip } from 'node:zlib';
import { parse } from 'csv-parse/sync';

/** The first rows of a data file. */
export interface DataHead {
  /** In the order of the file, for JSON lines of first appearance. */
  columns: Column[];
  /** Rows that were read. */
  rows: number;
  /** Whether the rows are all there are. */
  whole: boolean;
}

export interface Column {
  name: string;
  /** Every value that was read, as text. Empty and missing ones are left out. */
  values: string[];
}

/** Stored bytes that are looked at, compressed or not, and text that is made of them at most. */
const STORED = 64 * 1024;
const TEXT = 256 * 1024;
const ROWS = 1000;

export const DATA_FILE = /\.(csv|tsv|jsonl|ndjson)(\.gz)?$/i;

/**
 * Columns and first values of a CSV, TSV or JSON-lines file, `.gz` too, without reading more than its begin.
 * Undefined where the name is of no known format, or nothing of the content makes sense: the trainer says why.
 * Rejects where the file cannot be opened.
 */
export async function readDataHead(path: string): Promise<DataHead | undefined> {
  const format = DATA_FILE.exec(path)?.[1].toLowerCase();
  if (format === undefined) return undefined;
  const stored = await firstBytes(path);
  const zipped = /\.gz$/i.test(path);
  const { bytes, whole } = zipped ? await unzipBegin(stored.bytes, stored.whole) : stored;
  const text = new TextDecoder().decode(bytes);
  return format === 'csv' || format === 'tsv'
    ? delimited(text, format === 'csv' ? ',' : '\t', whole)
    : jsonLines(text, whole);
}

async function firstBytes(path: string): Promise<{ bytes: Uint8Array; whole: boolean }> {
  const file = await open(path);
  try {
    const buffer = new Uint8Array(STORED);
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

/** What the first bytes of a gzip file unpack to; what a cut one lacks at its end is no error. */
function unzipBegin(stored: Uint8Array, whole: boolean): Promise<{ bytes: Uint8Array; whole: boolean }> {
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

function delimited(text: string, delimiter: string, whole: boolean): DataHead | undefined {
  const rows: string[][] = [];
  let cut = !whole;
  try {
    parse(text, {
      delimiter,
      bom: true,
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      to: ROWS + 1,
      on_record: (fields: string[]) => {
        rows.push(fields);
        return null;
      },
    });
  } catch {
    // A quote that the cut left open: the rows before it are whole.
    cut = false;
    whole = false;
  }
  // The cut may go through the last row.
  if (cut && rows.length <= ROWS) rows.pop();
  const [header, ...body] = rows;
  if (!header) return undefined;
  const columns = header.map((name): Column => ({ name, values: [] }));
  // By what the rows hold: columns times rows is far more where a wide header has short rows.
  for (const row of body)
    for (const [i, value] of row.slice(0, columns.length).entries())
      if (value.trim() !== '') columns[i]!.values.push(value);
  return { columns, rows: body.length, whole: whole && rows.length <= ROWS };
}

function jsonLines(text: string, whole: boolean): DataHead | undefined {
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  if (!whole) lines.pop();
  const columns = new Map<string, string[]>();
  let rows = 0;
  for (const line of lines) {
    if (rows === ROWS) break;
    const row = jsonObject(line);
    if (!row) continue;
    rows++;
    for (const [name, value] of Object.entries(row)) {
      const values = columns.get(name) ?? [];
      columns.set(name, values);
      // Lists and objects are no texts and no labels.
      if (['string', 'number', 'boolean'].includes(typeof value) && String(value).trim() !== '')
        values.push(String(value));
    }
  }
  if (rows === 0) return undefined;
  return {
    columns: [...columns].map(([name, values]) => ({ name, values })),
    rows,
    whole: whole && rows < ROWS,
  };
}

function jsonObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
