import type { FileHandle } from 'node:fs/promises';
import { AuroraError } from '../../base/errors';
import { parseJson } from '../../files/json';
import { runPaths } from '../layout';
import { PATIENT, type RunFiles } from '../run-files';

/** The columns of a run's curve, without blocking. Throws AuroraError (`run`) for a file that does not name them. */
export async function curveColumns(run: string, files: RunFiles = PATIENT): Promise<string[]> {
  const path = runPaths(run).scalarColumns;
  return columnsOf(path, parseJson(path, (await files.read(path)) ?? new Uint8Array(0)));
}

/**
 * Reads records of scalars.bin, from the one with the index `from` on.
 *
 * @param target the room for them, row by row
 * @param width columns of a record
 * @returns the number of whole records: fewer than there is room for if the file has become shorter
 */
export async function readRecords(
  file: FileHandle,
  target: Float64Array,
  from: number,
  width: number,
): Promise<number> {
  const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  let done = 0;
  while (done < bytes.length) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, 8 * from * width + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return Math.floor(done / (8 * width));
}

/**
 * The newest values of a column, at most this many, with two small reads however long the curve is. Empty before the first
 * step, and if the run has no such column.
 */
export async function lastValues(
  run: string,
  column: string,
  most: number,
  files: RunFiles = PATIENT,
): Promise<Float64Array> {
  const { scalars, scalarColumns } = runPaths(run);
  if (!(await files.stat(scalarColumns))) return new Float64Array(0);
  const columns = await curveColumns(run, files);
  const at = columns.indexOf(column);
  if (at < 0) return new Float64Array(0);
  const bytes = await files.readLast(scalars, most, columns.length * 8);
  return Float64Array.from({ length: bytes.byteLength / (columns.length * 8) }, (_, i) =>
    bytes.readDoubleLE((i * columns.length + at) * 8),
  );
}

/** A record has a few dozen numbers. */
const MOST_COLUMNS = 1000;

/** The columns in scalars.json, which include `step`. Throws AuroraError (`run`) for any other file. */
export function columnsOf(path: string, header: unknown): string[] {
  const columns = (header as { columns?: unknown } | null)?.columns;
  const known = Array.isArray(columns) && columns.length <= MOST_COLUMNS && columns.includes('step');
  if (known && columns.every((c) => typeof c === 'string')) return columns;
  throw new AuroraError(
    'run',
    `${path} does not name the columns of scalars.bin.`,
    'It was changed or damaged after it was written; restore it from a copy.',
  );
}
