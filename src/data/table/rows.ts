import type { DataSpec } from '../../experiment/experiment';
import { AuroraError } from '../../base/errors';
import { nearest } from '../../base/nearest';
import { rowPlace, rowWord } from '../../protocol/row-place';
import { parseConll } from '../../table/conll';
import { parseDelimited } from '../../table/delimited';
import { dataFormat, EMPTY_HINT, readDataFile, type DataFormat } from '../../table/files';
import { parseJsonArray } from '../../table/json';
import { parseJsonl } from '../../table/jsonl';
import type { Quotes } from '../../table/quoting';
import type { Fields, Records, Table } from '../../table/records';

export interface Row {
  text: string;
  /** The second text of a pair. */
  pair?: string;
  label: string;
  /** Those of a question. */
  choices?: readonly string[];
  /** Where the row begins in its file, from 1. */
  line: number;
}

export interface SkippedRow {
  line: number;
  reason: string;
  /** The row's label, where it is whole but the training data have no such label. */
  unknownLabel?: string;
}

export interface Rows<R extends Row = Row> {
  rows: R[];
  skipped: SkippedRow[];
  /** How the file's quotes were read, where that was for its content to decide. */
  quotes?: Quotes;
  /** The names of the labels in the file's own order, where it states them. */
  labelNames?: readonly string[];
}

export type ReadOptions = Pick<
  DataSpec,
  | 'textColumn'
  | 'textPairColumn'
  | 'imageColumn'
  | 'labelColumn'
  | 'labelColumns'
  | 'labelSeparator'
  | 'completionColumn'
  | 'messagesColumn'
  | 'choicesColumn'
  | 'choiceColumns'
  | 'promptTemplate'
  | 'header'
  | 'quoting'
  | 'onBadRow'
>;

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

/** The same with the label. */
export function labeledTexts(fields: Fields, options: ReadOptions): Omit<Row, 'line'> | { problem: string } {
  const texts = textsOf(fields, options);
  if ('problem' in texts) return texts;
  const label = field(fields, options.labelColumn!);
  return 'problem' in label ? label : { ...texts, label: label.value };
}

/** A row that cannot be used: an error with its place, or one more on the list, as the experiment says. */
export function badRow(
  path: string,
  row: SkippedRow,
  onBadRow: DataSpec['onBadRow'],
  skipped: SkippedRow[],
): void {
  if (onBadRow === 'fail')
    throw new AuroraError(
      'data',
      `${rowPlace(path, row.line)}: ${row.reason}.`,
      'Correct the row, or set data.onBadRow to "skip" to train without such rows.',
    );
  skipped.push(row);
}

/** Throws a data error when no row is left. */
export function requireRows(path: string, left: number, skipped: readonly SkippedRow[]): void {
  if (left > 0) return;
  const first = skipped[0];
  if (!first) throw new AuroraError('emptyData', `${path} has no rows.`, EMPTY_HINT);
  throw new AuroraError(
    'emptyData',
    `${path}: all ${skipped.length} rows were skipped; the first, in ${rowWord(path)} ${first.line}: ${first.reason}.`,
    'Correct the file, or name other columns in the experiment (data.textColumn and the others).',
  );
}

/** Texts and labels of a data file. Numbers and booleans become strings. */
export const readRows = (path: string, options: ReadOptions): Promise<Rows> =>
  readRowsOf(path, options, LABELED_TEXTS, (fields) => labeledTexts(fields, options));

/**
 * The rows of a data file. Every record is in `rows` or in `skipped`; with onBadRow 'fail', the first bad one is a data
 * error, "FILE:LINE: why".
 *
 * @param required settings whose columns the file must have, where they are set
 * @param rowOf a record as a row, or why it cannot be used
 */
export async function readRowsOf<R extends Row>(
  path: string,
  options: ReadOptions,
  required: readonly ColumnOption[],
  rowOf: (fields: Fields) => Omit<R, 'line'> | { problem: string },
): Promise<Rows<R>> {
  const table = await openTable(path, options);
  const wanted = required.flatMap((option) =>
    [options[option] ?? []].flat().map((name) => ({ option, name })),
  );
  for (const { option, name } of wanted) requireColumn(path, table.columns, options, option, name);
  const { quotes } = table;
  const labelNames = options.labelColumn === undefined ? undefined : table.labelNames?.(options.labelColumn);
  const result: Rows<R> = {
    rows: [],
    skipped: [],
    ...(quotes && { quotes }),
    ...(labelNames && { labelNames }),
  };
  for await (const records of table.records(wanted.map(({ name }) => name)))
    for (const record of records) {
      const { line } = record;
      const row = 'problem' in record ? record : rowOf(record.fields);
      if ('problem' in row) badRow(path, { line, reason: row.problem }, options.onBadRow, result.skipped);
      else result.rows.push({ ...row, line } as R);
    }
  requireRows(path, result.rows.length, result.skipped);
  return result;
}
