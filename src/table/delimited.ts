import { isUtf8 } from 'node:buffer';
import { parse, type CsvError } from 'csv-parse/sync';
import { AuroraError } from '../base/errors';
import { EMPTY_HINT } from './data-files';
import { quotesOf, type DelimitedOptions, type Quotes } from './quoting';
import { bytesRead, takePieces } from './pieces';
import { INVALID_UTF8, type DataRecord, type PlacedTable, type Records } from './records';

interface DelimitedRow {
  fields: string[];
  /** The record's bytes as in the file, with its line break, and the lines it covers, from 1. */
  bytes: Buffer;
  start: number;
  firstLine: number;
  lastLine: number;
}

const LF = 0x0a;
const CR = 0x0d;

/** Counts line breaks (LF, CRLF or CR) up to growing offsets; csv-parse's own count takes a quoted CRLF for two. */
class LineCounter {
  private at = 0;
  constructor(
    private readonly bytes: Buffer,
    private line = 1,
  ) {}
  /** The line that the byte at `offset` is on. */
  lineAt(offset: number): number {
    for (; this.at < offset; this.at++) {
      const byte = this.bytes[this.at];
      if (byte === LF || (byte === CR && this.bytes[this.at + 1] !== LF)) this.line++;
    }
    return this.line;
  }
}

/**
 * Splits by RFC 4180, but takes a quote inside an unquoted field for itself, as spreadsheets and pandas do; or, if the
 * quotes are part of the texts, at every line break and delimiter.
 *
 * @param part if `bytes` are not all of the file's, the last row may be cut, and is left out; `most` rows are wanted
 * @param firstByte the line that the bytes begin on
 */
function split(
  path: string,
  bytes: Buffer,
  delimiter: string,
  quotes: Quotes | undefined,
  { most = Infinity, whole }: { most?: number; whole: boolean } = { whole: true },
  firstByte = 1,
): DelimitedRow[] {
  const rows: DelimitedRow[] = [];
  const lines = new LineCounter(bytes, firstByte);
  let start = 0;
  const firstLine = (): number => {
    while (bytes[start] === LF || bytes[start] === CR) start++;
    return lines.lineAt(start);
  };
  try {
    parse(bytes, {
      delimiter,
      record_delimiter: ['\r\n', '\n', '\r'],
      quote: quotes === 'text' ? false : '"',
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      ...(Number.isFinite(most) && { to: most }),
      on_record: (fields: string[], info) => {
        const first = firstLine();
        const record = bytes.subarray(start, info.bytes);
        rows.push({ fields, bytes: record, start, firstLine: first, lastLine: lines.lineAt(info.bytes - 1) });
        start = info.bytes;
        return null;
      },
    });
  } catch (cause) {
    if ((cause as CsvError).code !== 'CSV_QUOTE_NOT_CLOSED') throw cause;
    if (!whole) return rows;
    throw new AuroraError(
      'data',
      `${path}:${firstLine()}: a quote opened in this row is never closed.`,
      'Close the quote, or double each quote that belongs to the text ("") and quote the whole field. If no quote in the file encloses a field, set data.quoting to "none".',
      { cause },
    );
  }
  if (!whole && rows.length < most) rows.pop();
  return rows;
}

/** The first row's names for the columns, or numbers from 1. */
const namesIn = ({ fields }: DelimitedRow, { header = true }: DelimitedOptions): string[] =>
  header ? fields : fields.map((_, i) => String(i + 1));

/**
 * The beginning of a CSV or TSV file, as parseDelimited reads it; undefined if it has no row.
 *
 * @param bytes the first ones of the file
 * @param most rows, with the header
 * @param whole true if these are all its bytes
 * @throws AuroraError 'data' if they are, and a quote is still open
 */
export function delimitedHead(
  bytes: Buffer,
  options: DelimitedOptions,
  most: number,
  whole: boolean,
): { columns: string[]; rows: string[][] } | undefined {
  const quotes = quotesOf(bytes, options, whole);
  const all = split('', bytes, options.delimiter, quotes, { most, whole });
  if (!all[0]) return undefined;
  const { header = true } = options;
  return { columns: namesIn(all[0], options), rows: all.slice(Number(header)).map((row) => row.fields) };
}

/** @param places the index of each column: one map for all rows, since a table can be very wide */
function toRecord(
  { fields, bytes, firstLine, lastLine }: DelimitedRow,
  places: ReadonlyMap<string, number>,
  { header = true }: DelimitedOptions,
  quotes: Quotes | undefined,
): DataRecord {
  if (!isUtf8(bytes)) return { line: firstLine, problem: INVALID_UTF8 };
  if (fields.length === places.size)
    return { line: firstLine, fields: { get: (column) => fields[places.get(column) ?? -1] } };
  const why =
    lastLine > firstLine
      ? ` (it reaches to line ${lastLine}: is a quote left open?)`
      : quotes === 'text' && bytes.includes('"')
        ? ' (its quotes are read as text: see data.quoting)'
        : '';
  return {
    line: firstLine,
    problem: `${fields.length} columns where the ${header ? 'header' : 'first row'} has ${places.size}${why}`,
  };
}

/**
 * CSV or TSV; blank lines are skipped. Throws a data error when the header cannot be used or a quote is still open at
 * the end: the places of the rows are then unknown.
 */
export function parseDelimited(path: string, bytes: Buffer, options: DelimitedOptions): Records {
  const { header = true } = options;
  const quotes = quotesOf(bytes, options);
  const rows = split(path, bytes, options.delimiter, quotes);
  const [first] = rows;
  if (!first) throw new AuroraError('emptyData', `${path} has only blank lines.`, EMPTY_HINT);
  const columns = namesIn(first, options);
  if (header) checkHeader(path, first);
  const places = placesOf(columns);
  return {
    columns,
    records: rows.slice(Number(header)).map((row) => toRecord(row, places, options, quotes)),
    ...decidedQuotes(options, quotes),
  };
}

/**
 * Reads CSV or TSV from a file that does not fit into memory.
 *
 * @param quotes the treatment of its quotes, or undefined if it has none
 */
export function placedDelimited(
  path: string,
  options: DelimitedOptions,
  quotes: Quotes | undefined,
  pieceSize?: number,
): PlacedTable {
  const { header = true } = options;
  let columns: string[] | undefined;
  let places = new Map<string, number>();
  const open = (row: DelimitedRow) => {
    if (header) checkHeader(path, row);
    columns = namesIn(row, options);
    places = placesOf(columns);
  };
  return {
    ...decidedQuotes(options, quotes),
    columns: () => columns ?? [],
    *pieces() {
      let line = 1;
      const found = takePieces(
        path,
        (bytes, start, whole) => {
          const rows = split(path, bytes, options.delimiter, quotes, { whole }, line);
          const last = rows.at(-1);
          const taken = last ? last.start + last.bytes.length : 0;
          line = new LineCounter(bytes, line).lineAt(taken);
          const own = columns || !header ? rows : rows.slice(1);
          if (rows[0] && !columns) open(rows[0]);
          return {
            taken,
            found: own.map((row) => ({
              record: toRecord(row, places, options, quotes),
              start: start + row.start,
              bytes: row.bytes,
            })),
          };
        },
        pieceSize,
      );
      yield* found;
      if (!columns) throw new AuroraError('emptyData', `${path} has only blank lines.`, EMPTY_HINT);
    },
    bytesRead,
    reader(all) {
      const known = placesOf(all);
      return (bytes, line) => {
        const [row] = split(path, bytes, options.delimiter, quotes, undefined, line);
        return row ? toRecord(row, known, options, quotes) : { line, problem: 'an empty row' };
      };
    },
  };
}

const placesOf = (columns: readonly string[]): Map<string, number> =>
  new Map(columns.map((column, i) => [column, i]));

/** The quotes if the content of the file had to decide. */
const decidedQuotes = (
  { quoting = 'auto', delimiter }: DelimitedOptions,
  quotes: Quotes | undefined,
): Pick<Records, 'quotes'> => (quoting === 'auto' && delimiter === '\t' && quotes ? { quotes } : {});

function checkHeader(path: string, { fields, bytes, firstLine }: DelimitedRow): void {
  if (!isUtf8(bytes))
    throw new AuroraError(
      'data',
      `${path}:${firstLine}: the header is ${INVALID_UTF8}.`,
      'Save it as UTF-8.',
    );
  const seen = new Set<string>();
  for (const column of fields) {
    if (seen.has(column))
      throw new AuroraError(
        'data',
        `${path}:${firstLine}: two columns are named "${column}".`,
        'Rename one of them, or set data.header to false if this row is not a header.',
      );
    seen.add(column);
  }
}
