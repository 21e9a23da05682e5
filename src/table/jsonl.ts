import { isUtf8 } from 'node:buffer';
import { bytesRead, takePieces } from './pieces';
import { INVALID_UTF8, type PlacedRecord, type PlacedTable, type Records } from './records';

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
