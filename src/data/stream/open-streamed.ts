import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { version } from '../../../package.json';
import { sortedJson } from '../../base/sorted-json';
import { type HashedFile, hashFile } from '../../files/hash';
import { identify, sameIdentity } from '../../files/identity';
import { filesOf, isPattern } from '../../files/pattern';
import type { FilePart } from '../../protocol/row-place';
import { formatOf, unreadable } from '../../table/data-files';
import { bytesRead } from '../../table/pieces';
import { canBePlaced, openPlaced } from '../../table/placed';
import type { PlacedTable, Table } from '../../table/records';
import { refuseBadRows } from '../table/bad-rows';
import {
  type MarkedFormat,
  type ReadOptions,
  requireColumns,
  requireRows,
  type Row,
  ROW_OPTIONS,
  type Rows,
  wantedColumns,
} from '../table/rows';
import { alikeQuotes, requireSameColumns, type SeveralFiles } from '../table/several';
import { buildIndex, type Measured, type ReadWatch } from './build-index';
import { INDEX_VERSION, IndexCache } from './index-cache';
import { openParquets, spooledParquet } from './parquet-spool';
import { RecordFile, StreamedRows } from './record-file';

/** Smaller files are read into memory. Tests set another limit. */
const largeBytes = (): number => Number(process.env.AURORA_TEST_LARGE_BYTES ?? 2 ** 26);

/** True if the rows of a file, or of the files of a pattern, stay on disk. */
export function isLarge(path: string): boolean {
  if (!canBePlaced(path) && formatOf(path) !== 'parquet') return false;
  const stats = filesOf(path).map((file) => statSync(file, { throwIfNoEntry: false }));
  const size = stats.reduce((sum, stat) => sum + (stat?.isFile() ? stat.size : 0), 0);
  return stats.some((stat) => stat?.isFile()) && size >= largeBytes();
}

export interface StreamOptions<R extends Row> {
  format: MarkedFormat<R>;
  options: ReadOptions;
  /** Everything that `measure` and `counted` depend on. */
  reads: object;
  measure(row: R): Measured;
  counted?(measured: Measured): number;
  keyOf?(row: R): string;
  watch?: ReadWatch;
  cache?: IndexCache;
  /** Bytes that are read at once. */
  pieceSize?: number;
}

/**
 * The rows of a large file, or of several that a pattern names: their index is read from the cache, or made by reading
 * them once. The key in the cache is the content of the files; `hashFile` knows whether it has changed.
 *
 * @throws AuroraError 'data' as `readRows`, or if somebody writes to a file
 */
export async function openStreamed<R extends Row>(
  path: string,
  { format, options, reads, pieceSize, cache = new IndexCache(), ...source }: StreamOptions<R>,
): Promise<Rows<R, StreamedRows<R>>> {
  const several = isPattern(path);
  const hashed: (HashedFile & { path: string })[] = [];
  for (const file of filesOf(path)) hashed.push({ path: file, ...(await hashOf(file)) });
  const key = keyOf(path, several ? hashed.map((f) => f.sha256) : hashed[0]!.sha256, options, reads);
  const copy = formatOf(path) === 'parquet' ? cache.copyOf(key) : undefined;
  const cached = cache.read(key, copy !== undefined);
  const size = hashed.reduce((sum, { identity }) => sum + identity.size, 0);
  const files = hashed.map((file) => ({ path: file.path, size: file.identity.size }));
  const check = requireColumns(format, options);
  const wanted = wantedColumns(format, options).map(({ name }) => name);
  const place = (file: string) => openPlaced(file, options, cached, pieceSize);
  const table: PlacedTable & Pick<Table, 'labelNames'> & Partial<SeveralFiles> =
    copy !== undefined
      ? spooledParquet(await openParquets(path, check), wanted, copy, size)
      : several
        ? severalPlaced(path, files, place, check)
        : place(path);
  let index = cached;
  if (!index) {
    index = await buildIndex({ path, size, table, format, options, ...source });
    if (hashed.every(isUnchanged)) cache.write(key, index);
  }
  const parts = index.before?.map((before, i) => ({ file: basename(files[i]!.path), before }));
  // Rows that an earlier run has skipped are an error in a run that skips none.
  const skipped = [...index.skipped];
  refuseBadRows(path, skipped, options.onBadRow, parts);
  const file = new RecordFile({
    path,
    files: hashed,
    copy,
    parts,
    table,
    index,
    format,
    options,
    digest: key,
  });
  const rows = StreamedRows.all(file);
  requireRows(path, rows.length, skipped, parts);
  const { quotes } = index;
  const labelNames = options.labelColumn === undefined ? undefined : table.labelNames?.(options.labelColumn);
  return {
    rows,
    skipped,
    quotes,
    labelNames,
    parts,
  };
}

const isUnchanged = ({ path, identity, settled }: HashedFile & { path: string }): boolean => {
  const now = identify(path);
  return settled && now !== undefined && sameIdentity(identity, now);
};

const hashOf = (path: string): Promise<HashedFile> =>
  hashFile(path).catch((cause) => {
    throw unreadable(path, cause);
  });

/** @param sha256 of each file, where there are several */
function keyOf(path: string, sha256: string | string[], options: ReadOptions, reads: object): string {
  const read = ROW_OPTIONS.map((name) => options[name] ?? null);
  const made = { version, index: INDEX_VERSION, sha256, format: formatOf(path), read, reads };
  return createHash('sha256').update(sortedJson(made)).digest('hex').slice(0, 32);
}

/**
 * Several text files as one: lines and bytes are counted on from file to file.
 *
 * @param files with their sizes in bytes
 * @param check throws if a file lacks the wanted columns
 * @throws AuroraError 'data' for a file that has other columns than the first one, while it is read
 */
function severalPlaced(
  pattern: string,
  files: readonly { path: string; size: number }[],
  open: (path: string) => PlacedTable,
  check: (path: string, columns: string[]) => void,
): PlacedTable & SeveralFiles {
  const tables = files.map(({ path, size }) => ({ path, size, table: open(path) }));
  const parts: FilePart[] = [];
  const quotes = tables.reduce(
    (all, { table }) => alikeQuotes(pattern, all, table.quotes),
    undefined as PlacedTable['quotes'],
  );
  const [first] = tables;
  // The keys of JSON objects may differ, and are known at the end of the file.
  const hasHeader = formatOf(pattern) !== 'jsonl';
  const checkColumns = ({ path, table }: (typeof tables)[number]) => {
    check(path, table.columns());
    if (hasHeader) requireSameColumns(first!.path, first!.table.columns(), path, table.columns());
  };
  return {
    parts,
    quotes,
    columns: () => [...new Set(tables.flatMap(({ table }) => table.columns()))],
    async *pieces() {
      let [start, last] = [0, 0];
      for (const one of tables) {
        const before = last;
        parts.push({ file: basename(one.path), before });
        for await (const records of one.table.pieces()) {
          if (hasHeader && records.length > 0) checkColumns(one);
          yield records.map(({ record, start: at, bytes }) => {
            last = before + record.line;
            return { record: { ...record, line: last }, start: start + at, bytes };
          });
        }
        checkColumns(one);
        start += one.size;
      }
    },
    bytesRead,
    // A file without quotes decided nothing about them.
    reader: (columns) =>
      (tables.find(({ table }) => table.quotes === quotes) ?? first!).table.reader(columns),
  };
}
