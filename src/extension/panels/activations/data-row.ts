import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { AuroraError } from '../../../shared/errors';

/** What the editor shows as plain text without a fuss; above it, files open slowly and without features. */
const OPENS_WELL_BYTES = 20 * 2 ** 20;
/** A quoted field of a CSV may go on for lines; nobody reads more of one row. */
const MOST_LINES = 200;

/** Whether the file itself can be opened at the line; otherwise only its row is shown. */
export async function opensWell(file: string): Promise<boolean> {
  if (/\.gz$/i.test(file)) return false;
  const { size } = await stat(file).catch((cause) => {
    throw missing(file, cause);
  });
  return size <= OPENS_WELL_BYTES;
}

/**
 * One row of a data file (`.gz` too), for reading: JSON laid out over lines, a CSV row with its header.
 * Reads as far as the row, never the whole file into memory.
 *
 * @param line where the row begins, from 1
 */
export async function readDataRow(file: string, line: number): Promise<string> {
  const stored = createReadStream(file);
  const failure: { cause?: unknown } = {};
  const note = (cause: unknown) => (failure.cause ??= cause);
  stored.on('error', note);
  const plain = /\.gz$/i.test(file) ? stored.pipe(createGunzip()) : stored;
  if (plain !== stored) {
    plain.on('error', note);
    // A pipe does not hand on its source's error.
    stored.on('error', () => plain.destroy());
  }
  const lines = createInterface({ input: plain, crlfDelay: Infinity });
  const json = /\.(jsonl|ndjson)(\.gz)?$/i.test(file);
  let header = '';
  const row: string[] = [];
  let at = 0;
  try {
    for await (const text of lines) {
      at++;
      if (at === 1) header = text.replace(/^\ufeff/, '');
      if (at < line) continue;
      row.push(at === 1 ? header : text);
      if (json || balanced(row) || row.length >= MOST_LINES) break;
    }
  } catch (cause) {
    note(cause);
  } finally {
    lines.close();
    stored.destroy();
  }
  if (row.length === 0 && failure.cause !== undefined) throw missing(file, failure.cause);
  if (row.length === 0)
    throw new AuroraError('data', `${file} has no line ${line}.`, 'It was shortened after the run was made.');
  return json ? layOut(row[0]) : [header, ...row].join('\n');
}

/** A quote that is open at the end of a line goes on in the next. */
const balanced = (row: readonly string[]): boolean => row.join('\n').split('"').length % 2 === 1;

function layOut(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

const missing = (file: string, cause: unknown): AuroraError =>
  new AuroraError(
    'data',
    `${file} cannot be read: ${(cause as Error).message}.`,
    'The data file was moved or removed after the run was made.',
    { cause },
  );
