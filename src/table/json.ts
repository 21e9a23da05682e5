import { isUtf8 } from 'node:buffer';
import { AuroraError } from '../base/errors';
import { bytesRead, takePieces } from './pieces';
import { type DataRecord, INVALID_UTF8, type PlacedRecord, type PlacedTable, type Records } from './records';

/** The bytes of an item of an array, from `start` up to `end`. */
interface Item {
  start: number;
  end: number;
}

const [OPEN, CLOSE, OPEN_OBJECT, CLOSE_OBJECT, COMMA, QUOTE, BACKSLASH] = Buffer.from('[]{},"\\');
const LF = 0x0a;
const SPACES = new Set(Buffer.from(' \t\n\r'));
const AGAIN = 'Copy or download it again.';

/**
 * The items of a JSON array, one after the other, without reading them: the whole text may be longer than a string can be.
 *
 * @param whole true if these are all the file's bytes; otherwise, an item that is cut off ends it without an error
 * @throws AuroraError 'data' if it is not an array, or cut off
 */
export function* itemsOf(path: string, bytes: Buffer, whole = true): Generator<Item> {
  let at = 0;
  const skip = () => {
    while (SPACES.has(bytes[at]!)) at++;
  };
  skip();
  if (bytes[at] !== OPEN) throw notArray(path, bytes, at);
  at++;
  skip();
  for (let n = 1; bytes[at] !== CLOSE || n > 1; n++) {
    const start = at;
    at = endOfItem(bytes, start);
    if (at >= bytes.length && !whole) return;
    if (at >= bytes.length)
      throw wrong(path, bytes, at, `the file ends within item ${n}: it is cut off`, AGAIN);
    yield { start, end: at };
    if (bytes[at] === CLOSE) break;
    if (bytes[at] !== COMMA) throw wrong(path, bytes, at, 'this bracket has no counterpart');
    at++;
    skip();
  }
  at++;
  skip();
  if (at < bytes.length) throw wrong(path, bytes, at, 'unexpected content after the array');
}

/** The comma or closing bracket after an item. */
function endOfItem(bytes: Buffer, start: number): number {
  let depth = 0;
  let inString = false;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === OPEN || byte === OPEN_OBJECT) depth++;
    else if (byte === CLOSE || byte === CLOSE_OBJECT) {
      if (depth === 0) return at;
      depth--;
    } else if (byte === COMMA && depth === 0) return at;
  }
  return bytes.length;
}

/**
 * A JSON array of objects, each a record; `line` is its place in the array, from 1. After a mistake in the JSON, the
 * places of the other objects are unknown: it is an error, whatever the treatment of unusable rows.
 *
 * @throws AuroraError 'data' "FILE:LINE:COLUMN: why"
 */
export function parseJsonArray(path: string, bytes: Buffer): Records {
  const records: DataRecord[] = [];
  const columns = new Set<string>();
  for (const item of itemsOf(path, bytes)) {
    const line = records.length + 1;
    const value = parseItem(path, bytes, item, line);
    if (value === undefined) records.push({ line, problem: INVALID_UTF8 });
    else if (typeof value !== 'object' || value === null || Array.isArray(value))
      records.push({ line, problem: 'not a JSON object' });
    else {
      const fields = new Map<string, unknown>(Object.entries(value));
      for (const key of fields.keys()) columns.add(key);
      records.push({ line, fields });
    }
  }
  return { columns: [...columns], records };
}

/** Undefined if it is not valid UTF-8. */
function parseItem(path: string, bytes: Buffer, { start, end }: Item, n: number): unknown {
  const part = bytes.subarray(start, end);
  if (!isUtf8(part)) return undefined;
  const text = part.toString('utf8');
  try {
    return JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    // Without a position, the message quotes the place, and the item's start is named.
    const position = Number(/ at position (\d+)/.exec(message)?.[1] ?? 0);
    const why = message.replace(/( in JSON)? at position .*| is not valid JSON$/s, '');
    const at = start + Buffer.byteLength(text.slice(0, position));
    throw wrong(path, bytes, at, `item ${n} is not valid JSON (${why})`);
  }
}

function notArray(path: string, bytes: Buffer, at: number): AuroraError {
  if (bytes[at] !== OPEN_OBJECT) return wrong(path, bytes, at, 'a JSON array starts with [');
  const lines = bytes
    .subarray(at)
    .toString('utf8', 0, 2 ** 20)
    .split('\n');
  const perLine = lines[1]?.trimStart().startsWith('{') && isJson(lines[0]!);
  return new AuroraError(
    'data',
    `${path} is not a JSON array of objects, but starts with an object.`,
    perLine
      ? 'It has an object on each line: name it .jsonl.'
      : 'Write the objects as [{ … }, { … }], or one on each line of a .jsonl file.',
  );
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** An error at a byte, with its line and column from 1. */
function wrong(
  path: string,
  bytes: Buffer,
  at: number,
  why: string,
  hint = 'Correct the file, or write it again.',
): AuroraError {
  let [line, column] = [1, 1];
  for (const byte of bytes.subarray(0, at)) {
    // All but the first byte of a character start with the bits 10.
    if (byte === LF) [line, column] = [line + 1, 1];
    else if ((byte & 0xc0) !== 0x80) column++;
  }
  return new AuroraError('data', `${path}:${line}:${column}: ${why}.`, hint);
}

type Parsed = { line: number; fields: Map<string, unknown> } | { line: number; problem: string };

const NEWLINE = 0x0a;

function parseLine(line: number, bytes: Buffer): Parsed | undefined {
  if (!isUtf8(bytes)) return { line, problem: INVALID_UTF8 };
  const json = bytes.toString('utf8').trim();
  if (json === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    return { line, problem: `not valid JSON (${(error as Error).message})` };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { line, problem: 'not a JSON object' };
  return { line, fields: new Map(Object.entries(value)) };
}

/** JSON objects, one a line; blank lines are skipped. */
export function parseJsonl(bytes: Buffer): Records {
  const records: Parsed[] = [];
  const columns = new Set<string>();
  for (let start = 0, line = 1; start < bytes.length; line++) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    const record = parseLine(line, bytes.subarray(start, end));
    if (record) records.push(record);
    if (record && 'fields' in record) for (const key of record.fields.keys()) columns.add(key);
    start = end + 1;
  }
  return { columns: [...columns], records };
}

/** Reads JSON lines from a file that does not fit into memory. */
export function placedJsonl(path: string, pieceSize?: number): PlacedTable {
  const columns = new Set<string>();
  const linesOf = (bytes: Buffer, at: number, first: number, isLast: boolean) => {
    const found: PlacedRecord[] = [];
    let [start, line] = [0, first];
    while (start < bytes.length) {
      const newline = bytes.indexOf(NEWLINE, start);
      if (newline < 0 && !isLast) break;
      const end = newline < 0 ? bytes.length : newline;
      const own = bytes.subarray(start, end);
      const record = parseLine(line, own);
      if (record) found.push({ record, start: at + start, bytes: own });
      if (record && 'fields' in record) for (const key of record.fields.keys()) columns.add(key);
      start = end + 1;
      line++;
    }
    return { taken: Math.min(start, bytes.length), line, found };
  };
  return {
    columns: () => [...columns],
    *pieces() {
      let line = 1;
      yield* takePieces(
        path,
        (bytes, at, isLast) => {
          const { line: next, ...read } = linesOf(bytes, at, line, isLast);
          line = next;
          return read;
        },
        pieceSize,
      );
    },
    bytesRead,
    reader: () => (bytes, line) => parseLine(line, bytes) ?? { line, problem: 'an empty line' },
  };
}
