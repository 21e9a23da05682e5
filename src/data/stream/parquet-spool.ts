import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { diskError, discard, writeAll } from '../../files/atomic';
import { renameFlushed } from '../../files/folder';
import { temporaryBeside } from '../../files/temporary';
import { openParquet } from '../../table/parquet';
import type { DataRecord, PlacedRecord, PlacedTable } from '../../table/records';

/**
 * A Parquet file, whose single rows cannot be read: only all values of a row group. While its records are read, those of
 * the wanted columns are copied as lines of JSON, from which they are read again in any order.
 *
 * @param spool where the copy will be once all records have been read
 * @throws AuroraError 'data' as `openParquet`, 'disk' if the copy cannot be written
 */
export async function spooledParquet(
  path: string,
  wanted: readonly string[],
  spool: string,
  size: number,
): Promise<PlacedTable & { labelNames: (column: string) => readonly string[] | undefined }> {
  const table = await openParquet(path);
  const copy = async function* (file: number): AsyncGenerator<PlacedRecord[]> {
    let at = 0;
    for await (const records of table.records(wanted)) {
      const placed = records.map((record): PlacedRecord => {
        const bytes = lineOf(record, wanted);
        const start = at;
        at += bytes.length;
        return { record, start, bytes };
      });
      writeAll(file, Buffer.concat(placed.map(({ bytes }) => bytes)));
      yield placed;
    }
  };
  return {
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
    reader: () => (bytes, line) => ({
      line,
      fields: new Map(Object.entries(JSON.parse(bytes.toString()) as object)),
    }),
  };
}

function lineOf(record: DataRecord, wanted: readonly string[]): Buffer {
  const fields = 'fields' in record ? wanted.map((name) => [name, record.fields.get(name)] as const) : [];
  return Buffer.from(`${JSON.stringify(Object.fromEntries(fields), finite)}\n`);
}

/** JSON has no other numbers; a text or label is the same as a string. */
const finite = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
