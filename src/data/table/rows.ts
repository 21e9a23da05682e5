import type { DataSpec } from '../../experiment/experiment';
import { AuroraError } from '../../base/errors';
import { nearest } from '../../base/nearest';
import { rowName, type FilePart } from '../../protocol/row-place';
import { parseConll } from '../../table/conll';
import { parseDelimited } from '../../table/delimited';
import { dataFormat, EMPTY_HINT, readDataFile, type DataFormat } from '../../table/data-files';
import { isPattern } from '../../files/pattern';
import type { List } from '../list';
import { parseJsonArray, parseJsonl } from '../../table/json';
import type { Quotes } from '../../table/quoting';
import type { Fields, Records, Table } from '../../table/records';
import { refuseBadRows } from './bad-rows';
import { openSeveral, type SeveralFiles } from './several';

export interface Row {
  text: string;
  /** The second text of a pair. */
  pair?: string;
  label: string;
  /** The choices of a question. */
  choices?: readonly string[];
  /**
   * The first line of the row in its file, from 1; the count continues from file to file where several are read as one.
   */
  line: number;
}

export interface SkippedRow {
  line: number;
  reason: string;
  /** The row names an image that cannot be used. */
  ofImage?: true;
  /** The row's label, where it is whole but the training data have no such label. */
  unknownLabel?: string;
}

export interface Rows<R extends Row = Row, L extends List<R> = List<R>> {
  rows: L;
  skipped: SkippedRow[];
  /** The treatment of the file's quotes, if its content decided. */
  quotes?: Quotes;
  /** The names of the labels in the file's own order, where it states them. */
  labelNames?: readonly string[];
  /** The file of each line, where several are read as one. */
  parts?: readonly FilePart[];
}

/** The settings that define the rows of a file. */
export const ROW_OPTIONS = [
  'textColumn',
  'textPairColumn',
  'imageColumn',
  'labelColumn',
  'labelColumns',
  'labelSeparator',
  'completionColumn',
  'messagesColumn',
  'choicesColumn',
  'choiceColumns',
  'promptTemplate',
  'header',
  'quoting',
] as const satisfies (keyof DataSpec)[];

export type ReadOptions = Pick<DataSpec, (typeof ROW_OPTIONS)[number] | 'onBadRow'>;

/** A setting that names one or several columns. */
export type ColumnOption =
  | 'textColumn'
  | 'textPairColumn'
  | 'imageColumn'
  | 'labelColumn'
  | 'labelColumns'
  | 'completionColumn'
  | 'messagesColumn'
  | 'choicesColumn'
  | 'choiceColumns';

/** Names of columns that an error lists at most. */
const LISTED = 50;

function list(names: readonly string[]): string {
  const listed = names.slice(0, LISTED).map((n) => `"${n}"`);
  const more = names.length - listed.length;
  return more > 0 ? `${listed.join(', ')} and ${more} more` : listed.join(', ');
}

async function openTable(path: string, options: ReadOptions): Promise<Table> {
  const format = dataFormat(path);
  // Loaded only where it is needed: its decompressors compile WebAssembly.
  if (format === 'parquet') return (await import('../../table/parquet')).openParquet(path);
  const bytes = readDataFile(path);
  const { records, ...table } = parse(path, format, bytes, options);
  return { ...table, records: () => [records] };
}

function parse(
  path: string,
  format: Exclude<DataFormat, 'parquet'>,
  bytes: Buffer,
  options: ReadOptions,
): Records {
  switch (format) {
    case 'csv':
      return parseDelimited(path, bytes, { ...options, delimiter: ',' });
    case 'tsv':
      return parseDelimited(path, bytes, { ...options, delimiter: '\t' });
    case 'jsonl':
      return parseJsonl(bytes);
    case 'json':
      return parseJsonArray(path, bytes);
    case 'conll':
      return parseConll(bytes);
  }
}

function requireColumn(
  path: string,
  columns: string[],
  options: ReadOptions,
  option: ColumnOption,
  name: string,
): void {
  if (columns.length === 0 || columns.includes(name)) return;
  const near = nearest(name, columns);
  const hasHeader = ['csv', 'tsv'].includes(dataFormat(path)) && options.header !== false;
  throw new AuroraError(
    option.startsWith('labelColumn') ? 'labels' : 'data',
    `${path} has no column "${name}"; it has ${list(columns)}.`,
    near === undefined
      ? `Set data.${option} to one of them${hasHeader ? ', or data.header to false if this row is not a header' : ''}.`
      : `Did you mean "${near}"? Set data.${option} to it.`,
  );
}

/** A field as a string, or why it cannot be one. */
export function field(record: Fields, column: string): { value: string } | { problem: string } {
  const value = record.get(column);
  if (value === undefined || value === null) return { problem: `no "${column}"` };
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
    return {
      problem: `"${column}" is ${value instanceof Uint8Array ? 'binary' : Array.isArray(value) ? 'a list' : 'an object'}, not a string, number or boolean`,
    };
  const text = String(value);
  return text.trim() === '' ? { problem: `"${column}" is empty` } : { value: text };
}

/** The text, or pair of texts, of a record. */
export function textsOf(
  fields: Fields,
  { textColumn, textPairColumn }: ReadOptions,
): Pick<Row, 'text' | 'pair'> | { problem: string } {
  const text = field(fields, textColumn!);
  if ('problem' in text) return text;
  const pair = textPairColumn === undefined ? undefined : field(fields, textPairColumn);
  if (pair && 'problem' in pair) return pair;
  return { text: text.value, ...(pair && { pair: pair.value }) };
}

/** The columns of a text, or a pair of texts, with a label. */
export const LABELED_TEXTS = ['textColumn', 'textPairColumn', 'labelColumn'] as const;

/** The texts of a row with its label. */
export function labeledTexts(fields: Fields, options: ReadOptions): Omit<Row, 'line'> | { problem: string } {
  const texts = textsOf(fields, options);
  if ('problem' in texts) return texts;
  const label = field(fields, options.labelColumn!);
  return 'problem' in label ? label : { ...texts, label: label.value };
}

/** Throws a data error when no row is left. */
export function requireRows(
  path: string,
  left: number,
  skipped: readonly SkippedRow[],
  parts?: readonly FilePart[],
): void {
  if (left > 0) return;
  const first = skipped[0];
  if (!first) throw new AuroraError('emptyData', `${path} has no rows.`, EMPTY_HINT);
  throw new AuroraError(
    'emptyData',
    skipped.length === 1
      ? `${path}: its only row was skipped, ${rowName(path, first.line, parts)}: ${first.reason}.`
      : `${path}: all ${skipped.length} rows were skipped; the first, in ${rowName(path, first.line, parts)}: ${first.reason}.`,
    'Correct the file, or name other columns in the experiment (data.textColumn and the others).',
  );
}

/** The conversion of records to rows. */
export interface RowFormat<R extends Row> {
  /** Settings whose columns a file must have, where they are set. */
  required(options: ReadOptions): readonly ColumnOption[];
  /** A record as a row, or why it cannot be used. */
  rowOf(fields: Fields, options: ReadOptions): Omit<R, 'line'> | { problem: string };
  /** A row with the facts that follow from its place alone. */
  placed?(row: R, parts: readonly FilePart[] | undefined): R;
}

/** A row format with the marks that a large file's rows leave in memory. */
export interface MarkedFormat<R extends Row> extends RowFormat<R> {
  /** The answer of a row, where it is labels or a number. */
  marks(row: Omit<R, 'line'>): readonly string[];
  /** A row of which only that is known: its texts are empty. */
  marked(marks: readonly string[]): Omit<R, 'line'>;
}

/** The rows of a list, in order; rows on disk have only their answers. */
export const markedOf = <R extends Row>(rows: List<R> & { marked?: Iterable<R> }): Iterable<R> =>
  rows.marked ?? rows;

/** The line of a row in its file, without reading it. */
export const lineOf = (rows: List<Row> & { lineOf?(index: number): number }, index: number): number =>
  rows.lineOf?.(index) ?? rows.at(index)!.line;

/** Texts and labels of a data file. Numbers and booleans become strings. */
export const labeledRows: MarkedFormat<Row> = {
  required: () => LABELED_TEXTS,
  rowOf: labeledTexts,
  marks: ({ label }) => [label],
  marked: ([label]) => ({ text: '', label }),
};

/** The columns that a format needs, with the settings that name them. */
export const wantedColumns = <R extends Row>(
  format: RowFormat<R>,
  options: ReadOptions,
): { option: ColumnOption; name: string }[] =>
  format
    .required(options)
    .flatMap((option) => [options[option] ?? []].flat().map((name) => ({ option, name })));

/** Throws an error for a file without one of the columns that a format needs. */
export const requireColumns =
  <R extends Row>(format: RowFormat<R>, options: ReadOptions) =>
  (path: string, columns: string[]): void => {
    for (const { option, name } of wantedColumns(format, options))
      requireColumn(path, columns, options, option, name);
  };

/**
 * The rows of a data file, or of several that a pattern names. Every record is in `rows` or in `skipped`; with onBadRow
 * 'fail', bad ones are a data error.
 */
export function readRows(path: string, options: ReadOptions): Promise<Rows<Row, Row[]>>;
export function readRows<R extends Row>(
  path: string,
  options: ReadOptions,
  format: RowFormat<R>,
): Promise<Rows<R, R[]>>;
export async function readRows(
  path: string,
  options: ReadOptions,
  format: RowFormat<Row> = labeledRows,
): Promise<Rows<Row, Row[]>> {
  const wanted = wantedColumns(format, options);
  const check = requireColumns(format, options);
  const several = isPattern(path);
  const table: Table & Partial<SeveralFiles> = several
    ? await openSeveral(path, (file) => openTable(file, options), check)
    : await openTable(path, options);
  if (!several) check(path, table.columns);
  const { parts } = table;
  const labelNames = options.labelColumn === undefined ? undefined : table.labelNames?.(options.labelColumn);
  const result: Rows<Row, Row[]> = {
    rows: [],
    skipped: [],
    labelNames,
    parts,
  };
  for await (const records of table.records(wanted.map(({ name }) => name)))
    for (const record of records) {
      const { line } = record;
      const row = 'problem' in record ? record : format.rowOf(record.fields, options);
      if ('problem' in row) result.skipped.push({ line, reason: row.problem });
      else result.rows.push(format.placed?.({ ...row, line }, parts) ?? { ...row, line });
    }
  refuseBadRows(path, result.skipped, options.onBadRow, parts);
  requireRows(path, result.rows.length, result.skipped, parts);
  const { quotes } = table;
  return { ...result, ...(quotes && { quotes }) };
}
