import { open } from 'node:fs/promises';
import { constants, createGunzip } from 'node:zlib';
import { parse } from 'csv-parse/sync';

/** The first rows of a data file. */
export interface DataHead {
  /** In file order; for JSON lines, in order of first appearance. */
  columns: Column[];
  /** Number of rows that were read. */
  rows: number;
  /** Whether these are all the rows. */
  whole: boolean;
}

export interface Column {
  name: string;
  /** Every value that was read, as text. Empty and missing values are omitted. */
  values: string[];
}

/** Maximum bytes read from the file, compressed or not, and maximum text produced from them. */
const STORED = 64 * 1024;
const TEXT = 256 * 1024;
const ROWS = 1000;

export const DATA_FILE = /\.(csv|tsv|jsonl|ndjson)(\.gz)?$/i;

/**
 * Columns and first values of a CSV, TSV or JSON-lines file, also `.gz`. Reads only the start of the file. Undefined if
 * the extension is unknown or the content cannot be parsed; the trainer reports why. Rejects if the file cannot be
 * opened.
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

/** Decompresses the start of a gzip file. The missing end of truncated input is not an error. */
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
    // A quote left open by the cut: the rows before it are complete.
    cut = false;
    whole = false;
  }
  // The cut may fall within the last row.
  if (cut && rows.length <= ROWS) rows.pop();
  const [header, ...body] = rows;
  if (!header) return undefined;
  const columns = header.map((name): Column => ({ name, values: [] }));
  // Counted by the rows' cells: columns times rows is far more if a wide header has short rows.
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
      // Lists and objects are neither texts nor labels.
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
