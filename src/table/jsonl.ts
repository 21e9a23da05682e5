import { isUtf8 } from 'node:buffer';
import { INVALID_UTF8, type Records } from './records';

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

/** JSON objects, one a line; blank lines are no records. */
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
