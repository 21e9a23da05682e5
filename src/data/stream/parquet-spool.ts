import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { diskError, discard, writeAll } from '../../files/atomic';
import { renameFlushed } from '../../files/folder';
import { temporaryBeside } from '../../files/temporary';
import { filesOf, isPattern } from '../../files/pattern';
import { openParquet, type ParquetTable } from '../../table/parquet';
import type { DataRecord, PlacedRecord, PlacedTable, Table } from '../../table/records';
import { copyOf, fieldsIn } from '../copied-rows';
import { openSeveral, type SeveralFiles } from '../table/several';

/** A Parquet file, or several of the same columns as one. */
interface ParquetRows extends Table, Partial<SeveralFiles> {
  rows: number;
}

/**
 * A Parquet file, or the files of a pattern.
 *
 * @param check throws if a file lacks the wanted columns
 * @throws AuroraError 'data' as `openParquet`
 */
export async function openParquets(
  path: string,
  check: (path: string, columns: string[]) => void,
): Promise<ParquetRows> {
  if (!isPattern(path)) return openParquet(path);
  const opened = new Map<string, ParquetTable>();
  for (const file of filesOf(path)) opened.set(file, await openParquet(file));
  const table = await openSeveral(path, (file) => Promise.resolve(opened.get(file)!), check);
  return Object.assign(table, { rows: [...opened.values()].reduce((sum, { rows }) => sum + rows, 0) });
}

/**
 * A Parquet file, whose single rows cannot be read: only all values of a row group. While its records are read, those of
 * the wanted columns are copied as lines of JSON, each followed by its bytes, if it has some, from which they are read again
 * in any order.
 *
 * @param spool the path of the copy once all records have been read
 * @throws AuroraError 'data' as `openParquet` while records are read, 'disk' if the copy cannot be written
 */
export function spooledParquet(
  table: ParquetRows,
  wanted: readonly string[],
  spool: string,
  size: number,
): PlacedTable & Pick<Table, 'labelNames'> & Partial<SeveralFiles> {
  const copy = async function* (file: number): AsyncGenerator<PlacedRecord[]> {
    let at = 0;
    for await (const records of table.records(wanted))
      for (const some of portions(records, wanted)) {
        writeAll(file, Buffer.concat(some.map(({ bytes }) => bytes)));
        yield some.map(({ record, bytes }) => {
          const start = at;
          at += bytes.length;
          return { record, start, bytes };
        });
      }
  };
  return {
    parts: table.parts,
    columns: () => table.columns,
    labelNames: (column) => table.labelNames?.(column),
    async *pieces() {
      const temporary = temporaryBeside(spool);
      try {
        mkdirSync(dirname(spool), { recursive: true });
        const file = openSync(temporary, 'wx');
        try {
          yield* copy(file);
          fsyncSync(file);
        } finally {
          closeSync(file);
        }
        renameFlushed(temporary, spool);
      } catch (e) {
        throw diskError(spool, e);
      } finally {
        discard(temporary);
      }
    },
    bytesRead: ({ record }) => Math.floor((record.line / table.rows) * size),
    reader: () => (bytes, line) => ({ line, fields: new Map(Object.entries(fieldsIn(bytes))) }),
  };
}

/** Bytes that are written at once: a row group of images can have gigabytes. */
const PORTION = 1 << 23;

type CopiedRecord = Omit<PlacedRecord, 'start'>;

/** The records of a row group with their copies, a part at a time. */
function* portions(records: readonly DataRecord[], wanted: readonly string[]): Generator<CopiedRecord[]> {
  let [some, size]: [CopiedRecord[], number] = [[], 0];
  for (const record of records) {
    const bytes = copyOf(record, wanted);
    some.push({ record, bytes });
    size += bytes.length;
    if (size < PORTION) continue;
    yield some;
    [some, size] = [[], 0];
  }
  if (some.length > 0) yield some;
}
