import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs';
import { diskError, readAll, writeAtomic } from '../../files/atomic';
import { requireOwned } from '../../files/fence';
import { readJson } from '../../files/json';
import { readIfThereSync } from '../../files/read';
import { SCALAR_COLUMNS, type ScalarColumn } from '../../protocol/events';
import { runPaths } from '../layout';
import { curveDamage, CurveHash, type CurveSum } from './curve';
import { columnsOf } from './scalar-records';

export type ScalarRecord = Record<ScalarColumn, number>;

/** Appends one fixed-width record (a little-endian float64 per column) per optimizer step to scalars.bin. */
export class ScalarsWriter {
  private readonly record: Float64Array;
  private readonly hash = new CurveHash();
  /** The damage to the records that were kept, as a sentence; undefined if there is none. */
  damage: string | undefined;

  private constructor(
    private readonly path: string,
    private readonly fd: number,
    private readonly columns: readonly string[],
  ) {
    this.record = new Float64Array(columns.length);
  }

  /**
   * Opens or creates a run's two files. Truncates records after `lastStep` (a resume's `fromStep`) and a torn last
   * record in a single call, so that a crash leaves either the old length or the new one.
   *
   * @param known the record of the curve in the checkpoint of `lastStep`
   */
  static open(run: string, lastStep = Infinity, known?: CurveSum): ScalarsWriter {
    const { scalars: path, scalarColumns } = runPaths(run);
    if (!existsSync(scalarColumns)) {
      writeAtomic(scalarColumns, headerText(SCALAR_COLUMNS), run);
    }
    const columns = readColumns(run);
    requireOwned(path);
    try {
      const fd = openSync(path, 'a+');
      const width = columns.length * 8;
      // The steps in a damaged file may be wrong, so the checkpoint's count comes first.
      const keep = known
        ? Math.min(known.records, Math.floor(fstatSync(fd).size / width))
        : recordsUpTo(fd, columns, lastStep);
      if (fstatSync(fd).size !== keep * width) ftruncateSync(fd, keep * width);
      const writer = new ScalarsWriter(path, fd, columns);
      writer.check(keep, lastStep, known);
      return writer;
    } catch (e) {
      throw diskError(path, e);
    }
  }

  private check(records: number, lastStep: number, known: CurveSum | undefined): void {
    const bytes = readFileSync(this.path);
    this.hash.add(bytes, records);
    const at = this.columns.indexOf('step') * 8;
    const steps = Array.from({ length: records }, (_, i) =>
      bytes.readDoubleLE(i * this.columns.length * 8 + at),
    );
    const last = Number.isFinite(lastStep) ? lastStep : 0;
    this.damage = curveDamage(this.path, steps, last, this.hash.sum(), known);
  }

  /** The record of the curve so far, for a checkpoint. */
  sum(): CurveSum {
    return this.hash.sum();
  }

  /** A single small write, on the disk after the next `flush`. */
  append(values: ScalarRecord): void {
    // A run started by another version keeps its columns; those unknown here become NaN.
    this.columns.forEach((column, i) => (this.record[i] = values[column as ScalarColumn] ?? NaN));
    const bytes = new Uint8Array(this.record.buffer);
    requireOwned(this.path);
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(this.fd, bytes, done);
    } catch (e) {
      throw diskError(this.path, e);
    }
    this.hash.add(bytes, 1);
  }

  /** Call before writing a checkpoint, so that even a power cut leaves no gap below the step of a resume. */
  flush(): void {
    try {
      fsyncSync(this.fd);
    } catch (e) {
      throw diskError(this.path, e);
    }
  }

  /** All records, even if the file has been deleted. */
  content(): Buffer {
    return readAll(this.fd);
  }

  /** The text of scalars.json. */
  header(): string {
    return headerText(this.columns);
  }

  close(): void {
    closeSync(this.fd);
  }
}

function headerText(columns: readonly string[]): string {
  const header: ScalarsHeader = { version: 1, columns: [...columns] };
  return `${JSON.stringify(header)}\n`;
}

/** The number of complete records up to `lastStep`. Steps ascend, so a binary search finds it. */
function recordsUpTo(fd: number, columns: readonly string[], lastStep: number): number {
  const width = columns.length * 8;
  const cell = new Float64Array(1);
  let low = 0;
  let high = Math.floor(fstatSync(fd).size / width);
  while (low < high) {
    const middle = (low + high) >>> 1;
    readSync(fd, new Uint8Array(cell.buffer), 0, 8, middle * width + columns.indexOf('step') * 8);
    if (cell[0] <= lastStep) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** scalars.json */
export interface ScalarsHeader {
  version: number;
  columns: string[];
}

/** scalars.bin in memory: `records` rows of one float64 per column. */
export class Scalars {
  constructor(
    readonly columns: readonly string[],
    private readonly values: Float64Array,
  ) {}

  get records(): number {
    return this.columns.length === 0 ? 0 : this.values.length / this.columns.length;
  }

  /** A column as a new array; undefined if the run lacks it. */
  column(name: string): Float64Array | undefined {
    const at = this.columns.indexOf(name);
    if (at < 0) return undefined;
    const out = new Float64Array(this.records);
    for (let i = 0; i < out.length; i++) out[i] = this.values[i * this.columns.length + at];
    return out;
  }
}

/** The columns in a run's scalars.json, which include `step`. Throws AuroraError (`run`) for any other file. */
function readColumns(run: string): string[] {
  const path = runPaths(run).scalarColumns;
  return columnsOf(path, readJson(path));
}

/** All complete records of a run; none before its first step. Skips a torn last record. */
export function readScalars(run: string): Scalars {
  const bytes = readIfThereSync(runPaths(run).scalars, Infinity);
  if (!bytes) return new Scalars([], new Float64Array(0));
  const columns = readColumns(run);
  const width = columns.length * 8;
  const whole = bytes.subarray(0, Math.floor(bytes.length / width) * width);
  return new Scalars(columns, floats(whole));
}

/** Copies only bytes that are not aligned; those of a large file are. */
const floats = (bytes: Buffer): Float64Array =>
  bytes.byteOffset % 8 === 0
    ? new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8)
    : new Float64Array(Uint8Array.from(bytes).buffer);
