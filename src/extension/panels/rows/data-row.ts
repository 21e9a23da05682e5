import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
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
  const json = /\.(jsonl|ndjson)(\.gz)?$/i.test(file);
  let header = '';
  const row: string[] = [];
  let at = 0;
  const failure: { cause?: unknown } = {};
  try {
    for await (const text of linesOf(file)) {
      at++;
      if (at === 1) header = text.replace(/^\ufeff/, '');
      if (at < line) continue;
      row.push(at === 1 ? header : text);
      if (json || balanced(row) || row.length >= MOST_LINES) break;
    }
  } catch (cause) {
    failure.cause = cause;
  }
  if (row.length === 0 && failure.cause !== undefined) throw missing(file, failure.cause);
  if (row.length === 0)
    throw new AuroraError('data', `${file} has no line ${line}.`, 'It was shortened after the run was made.');
  return json ? layOut(row[0]) : [header, ...row].join('\n');
}

/** Its lines without their ends; reading stops when they are no longer asked for. Throws what the streams throw. */
async function* linesOf(file: string): AsyncGenerator<string> {
  // A pipe would tell of its own end before it tells that there is no file.
  await stat(file);
  const stored = createReadStream(file);
  // The error comes out of the iteration.
  const plain = /\.gz$/i.test(file) ? pipeline(stored, createGunzip(), () => {}) : stored;
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of plain) {
    const lines = (rest + decoder.write(chunk as Buffer)).split(/\r?\n/);
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest) yield rest;
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
    (cause as NodeJS.ErrnoException).code === 'ENOENT'
      ? `The data file ${file} is not there.`
      : `${file} cannot be read: ${(cause as Error).message}.`,
    'The data file was moved or removed after the run was made.',
    { cause },
  );
