import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { version } from '../../../package.json';
import { sortedJson } from '../../base/sorted-json';
import { hashFile, type HashedFile } from '../../files/hash';
import { identify, sameIdentity } from '../../files/identity';
import { formatOf, unreadable } from '../../table/files';
import { canBePlaced, openPlaced } from '../../table/placed';
import type { PlacedTable, Table } from '../../table/records';
import { badRow, requireRows, ROW_OPTIONS, wantedColumns } from '../table/rows';
import type { MarkedFormat, ReadOptions, Row, Rows } from '../table/rows';
import { buildIndex, type Measured, type ReadWatch } from './build';
import { INDEX_VERSION, IndexCache } from './index-cache';
import { spooledParquet } from './parquet-spool';
import { RecordFile } from './record-file';
import type { RowIndex } from './row-index';
import { StreamedRows } from './rows';

/** Smaller files are read into memory. Tests set another limit. */
const largeBytes = (): number => Number(process.env.AURORA_TEST_LARGE_BYTES ?? 2 ** 26);

/** Whether the rows of a file stay on disk. */
export function isLarge(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile() || stat.size < largeBytes()) return false;
  return canBePlaced(path) || formatOf(path) === 'parquet';
}

export interface StreamOptions<R extends Row> {
  format: MarkedFormat<R>;
  options: ReadOptions;
  /** Everything that `measure` and `counted` depend on. */
  reads: object;
  measure(row: R): Measured;
  counted?(measured: Measured): number;
  watch?: ReadWatch;
  cache?: IndexCache;
  /** Bytes that are read at once. */
  pieceSize?: number;
}

/**
 * The rows of a large file: its index is read from the cache, or made by reading the file once. What it is cached by is
 * the file's content, of which `hashFile` knows whether it has changed.
 *
 * @throws AuroraError 'data' as `readRows`, or if somebody writes to the file
 */
export async function openStreamed<R extends Row>(
  path: string,
  { format, options, reads, pieceSize, cache = new IndexCache(), ...source }: StreamOptions<R>,
): Promise<Rows<R, StreamedRows<R>>> {
  const hashed = await hashOf(path);
  const { size } = hashed.identity;
  const key = keyOf(path, hashed, options, reads);
  const copy = formatOf(path) === 'parquet' ? cache.copyOf(key) : undefined;
  const cached = cache.read(key, copy !== undefined);
  const wanted = wantedColumns(format, options).map(({ name }) => name);
  const table: PlacedTable & Pick<Table, 'labelNames'> =
    copy === undefined
      ? openPlaced(path, options, cached, pieceSize)
      : await spooledParquet(path, wanted, copy, size);
  let index = cached;
  if (!index) {
    index = await buildIndex({ path, size, table, format, options, ...source });
    const now = identify(path);
    if (hashed.settled && now && sameIdentity(hashed.identity, now)) cache.write(key, index);
  }
  const skipped = skippedIn(path, index, options);
  const file = new RecordFile(path, copy, hashed.identity, table, index, format, options, key);
  const rows = StreamedRows.all(file);
  requireRows(path, rows.length, skipped);
  const { quotes } = index;
  const labelNames = options.labelColumn === undefined ? undefined : table.labelNames?.(options.labelColumn);
  return { rows, skipped, ...(quotes && { quotes }), ...(labelNames && { labelNames }) };
}

const hashOf = (path: string): Promise<HashedFile> =>
  hashFile(path).catch((cause) => {
    throw unreadable(path, cause);
  });

/** A bad row that an earlier run has skipped is an error in one that skips none. */
function skippedIn(path: string, { skipped }: RowIndex, { onBadRow }: ReadOptions) {
  const own: RowIndex['skipped'] = [];
  for (const row of skipped) badRow(path, row, onBadRow, own);
  return own;
}

function keyOf(path: string, { sha256 }: HashedFile, options: ReadOptions, reads: object): string {
  const read = ROW_OPTIONS.map((name) => options[name] ?? null);
  const made = { version, index: INDEX_VERSION, sha256, format: formatOf(path), read, reads };
  return createHash('sha256').update(sortedJson(made)).digest('hex').slice(0, 32);
}
