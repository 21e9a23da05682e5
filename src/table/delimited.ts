import { isUtf8 } from 'node:buffer';
import { parse, type CsvError } from 'csv-parse/sync';
import { AuroraError } from '../base/errors';
import { EMPTY_HINT } from './files';
import { INVALID_UTF8, type DataRecord, type Records } from './records';

interface Span {
  fields: string[];
  /** As in the file, with its line break, and the lines it covers, from 1. */
  bytes: Buffer;
  firstLine: number;
  lastLine: number;
}

const LF = 0x0a;
const CR = 0x0d;

/** Counts line breaks (LF, CRLF or CR) up to growing offsets; csv-parse's own count takes a quoted CRLF for two. */
class LineCounter {
  private line = 1;
  private at = 0;
  constructor(private readonly bytes: Buffer) {}
  /** The line that the byte at `offset` is on. */
  lineAt(offset: number): number {
    for (; this.at < offset; this.at++) {
      const byte = this.bytes[this.at];
      if (byte === LF || (byte === CR && this.bytes[this.at + 1] !== LF)) this.line++;
    }
    return this.line;
  }
}

/** Splits by RFC 4180, but takes a quote inside an unquoted field for itself, as spreadsheets and pandas do. */
function split(path: string, bytes: Buffer, delimiter: string): Span[] {
  const spans: Span[] = [];
  const lines = new LineCounter(bytes);
  let start = 0;
  const firstLine = (): number => {
    while (bytes[start] === LF || bytes[start] === CR) start++;
    return lines.lineAt(start);
  };
  try {
    parse(bytes, {
      delimiter,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      on_record: (fields: string[], info) => {
        const first = firstLine();
        const record = bytes.subarray(start, info.bytes);
        spans.push({ fields, bytes: record, firstLine: first, lastLine: lines.lineAt(info.bytes - 1) });
        start = info.bytes;
        return null;
      },
    });
  } catch (cause) {
    if ((cause as CsvError).code !== 'CSV_QUOTE_NOT_CLOSED') throw cause;
    throw new AuroraError(
      'data',
      `${path}:${firstLine()}: a quote opened in this row is never closed.`,
      'Close the quote, or double each quote that belongs to the text ("") and quote the whole field.',
      { cause },
    );
  }
  return spans;
}

/** @param places the index of each column: one map for all rows, since a table can be very wide */
function toRecord(
  { fields, bytes, firstLine, lastLine }: Span,
  places: ReadonlyMap<string, number>,
): DataRecord {
  if (!isUtf8(bytes)) return { line: firstLine, problem: INVALID_UTF8 };
  if (fields.length === places.size)
    return { line: firstLine, fields: { get: (column) => fields[places.get(column) ?? -1] } };
  const lines = lastLine > firstLine ? ` (it reaches to line ${lastLine}: is a quote left open?)` : '';
  return {
    line: firstLine,
    problem: `${fields.length} columns where the header has ${places.size}${lines}`,
  };
}

/**
 * CSV or TSV with a header row; blank lines are no records. Throws a data error when the header cannot be used or
 * a quote is still open at the end: then nothing tells where the rows are.
 */
export function parseDelimited(path: string, bytes: Buffer, delimiter: ',' | '\t'): Records {
  const [header, ...rows] = split(path, bytes, delimiter);
  if (!header) throw new AuroraError('emptyData', `${path} has only blank lines.`, EMPTY_HINT);
  if (!isUtf8(header.bytes))
    throw new AuroraError(
      'data',
      `${path}:${header.firstLine}: the header is ${INVALID_UTF8}.`,
      'Save it as UTF-8.',
    );
  const columns = header.fields;
  const places = new Map(columns.map((column, i) => [column, i]));
  const twice = columns.find((column, i) => places.get(column) !== i);
  if (twice !== undefined)
    throw new AuroraError(
      'data',
      `${path}:${header.firstLine}: two columns are named "${twice}".`,
      'Rename one of them.',
    );
  return { columns, records: rows.map((row) => toRecord(row, places)) };
}
