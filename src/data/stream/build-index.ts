import { crc32 } from 'node:zlib';
import type { PlacedTable } from '../../table/records';
import { inputKey, inputOf } from '../audit';
import { refuseBadRows } from '../table/bad-rows';
import {
  type MarkedFormat,
  type ReadOptions,
  requireColumns,
  type Row,
  type SkippedRow,
} from '../table/rows';
import type { SeveralFiles } from '../table/several';
import { Turns } from '../turns';
import {
  type ColumnName,
  GrowingColumn,
  type IndexColumns,
  NO_TOKENS,
  ofColumns,
  type RowIndex,
  TRUNCATED,
} from './row-index';

type Growing = Record<ColumnName, GrowingColumn>;

/** The part of an example that an index stores. */
export interface Measured {
  size: number;
  ids: { length: number };
  truncated?: true;
}

/** Progress of reading a file, or of encoding its rows. */
export interface ReadProgress {
  path: string;
  done: number;
  of: number;
  unit: 'bytes' | 'rows';
}

/** Called from time to time while a large file is read; may throw to give it up. */
export type ReadWatch = (progress: ReadProgress) => void;

export interface IndexSource<R extends Row> {
  /** The path of a file, or a pattern. */
  path: string;
  /** In bytes. */
  size: number;
  table: PlacedTable & Partial<SeveralFiles>;
  format: MarkedFormat<R>;
  options: ReadOptions;
  /** The input of the model for a row. */
  measure(row: R): Measured;
  /** The number of its tokens that are to be predicted, for a kind that predicts tokens. */
  counted?(measured: Measured): number;
  /** A key that is equal for rows with equal inputs; that of their texts by default. */
  keyOf?(row: R): string;
  watch?: ReadWatch;
}

/**
 * Reads a file once, from start to end. Signals and timers are served between its pieces.
 *
 * @throws AuroraError 'data' for a bad row where that is an error
 */
export async function buildIndex<R extends Row>(source: IndexSource<R>): Promise<RowIndex> {
  const { path, size, table, format, options, watch } = source;
  const { parts } = table;
  const columns: Growing = ofColumns((name) => new GrowingColumn(name));
  const names = new Map<string, number>();
  const skipped: SkippedRow[] = [];
  const check = () => requireColumns(format, options)(path, table.columns());
  const turns = new Turns();
  const tell = (done: number) => watch?.({ path, done, of: size, unit: 'bytes' });
  tell(0);
  for await (const records of table.pieces()) {
    for (const placed of records) {
      if (turns.due) {
        await turns.take();
        tell(table.bytesRead(placed));
      }
      const { record, start, bytes } = placed;
      const row = 'problem' in record ? record : format.rowOf(record.fields, options);
      if ('problem' in row) {
        skipped.push({ line: record.line, reason: row.problem });
        continue;
      }
      addPlace(columns, record.line, start, bytes);
      addRow(columns, names, { ...row, line: record.line } as R, source);
    }
    // The rest may be long to read.
    if (options.onBadRow === 'fail' && skipped.length > 0) {
      check();
      refuseBadRows(path, skipped, options.onBadRow, parts, false);
    }
    const last = records.at(-1);
    if (last) tell(table.bytesRead(last));
    await turns.take();
  }
  check();
  columns.markStarts.push(columns.marks.length);
  const { quotes } = table;
  return {
    columns: ofColumns((name) => columns[name].done()) as unknown as IndexColumns,
    names: [...names.keys()],
    fields: table.columns(),
    skipped,
    quotes,
    ...(parts && { before: parts.map(({ before }) => before) }),
  };
}

function addPlace(columns: Growing, line: number, start: number, bytes: Buffer): void {
  columns.starts.push(start);
  columns.lengths.push(bytes.length);
  columns.lines.push(line);
  columns.sums.push(crc32(bytes));
}

function addRow<R extends Row>(
  columns: Growing,
  names: Map<string, number>,
  row: R,
  { format, measure, counted, keyOf = inputOf }: IndexSource<R>,
): void {
  for (const key of inputKey(keyOf(row))) columns.keys.push(key);
  columns.answers.push(crc32(row.label));
  const measured = measure(row);
  columns.sizes.push(measured.size);
  if (counted) columns.counts.push(counted(measured));
  columns.flags.push((measured.truncated ? TRUNCATED : 0) | (measured.ids.length === 0 ? NO_TOKENS : 0));
  columns.markStarts.push(columns.marks.length);
  for (const mark of format.marks(row)) {
    let name = names.get(mark);
    if (name === undefined) names.set(mark, (name = names.size));
    columns.marks.push(name);
  }
}
