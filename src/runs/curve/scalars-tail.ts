import type { FileHandle } from 'node:fs/promises';
import { AuroraError } from '../../base/errors';
import { count } from '../../base/number-text';
import { damaged } from '../../files/json';
import type { CurveGap } from './curve';
import { runPaths } from '../layout';
import { openIfThere } from '../../files/read';
import { curveColumns, readRecords } from './scalar-records';

/** About five million steps, all of which are kept in memory. */
const MOST_BYTES = 2 ** 29;

/** Initial capacity in records; doubles as needed. */
const FIRST_CAPACITY = 1024;

/**
 * Follows a growing scalars.bin: each `look` reads the new records directly into one typed array. A torn last record
 * waits until it is complete. Each look also reads the last known record again: if it differs, a resume has truncated
 * the file or the folder was created again, and records that are gone are dropped.
 */
export class ScalarsTail {
  private values = new Float64Array(0);
  private names: readonly string[] = [];
  private count = 0;
  /** The first steps without a record, and the index of the record after them. */
  private hole: (CurveGap & { at: number }) | undefined;

  constructor(private readonly folder: string) {}

  /** Empty before the run's first record. */
  get columns(): readonly string[] {
    return this.names;
  }
  get records(): number {
    return this.count;
  }

  /**
   * The first steps without a record, although later ones have one.
   *
   * @param reached a step that the curve must reach
   */
  gap(reached = 0): CurveGap | undefined {
    const at = (this.count - 1) * this.names.length + this.names.indexOf('step');
    const last = this.count === 0 ? 0 : this.values[at];
    return this.hole ?? (last < reached ? { from: last + 1, to: reached } : undefined);
  }

  /** Records from `from` up to `to`, row by row, in a new buffer. */
  rows(from: number, to = this.count): Float64Array {
    const width = this.names.length;
    return this.values.slice(from * width, to * width);
  }

  /**
   * Reads new records. Returns the index of the first record that is new or differs: `records` if nothing changed, and
   * less than before if records are gone. Throws AuroraError (`run`) if the files are damaged.
   */
  async look(): Promise<number> {
    const path = runPaths(this.folder).scalars;
    const file = await openIfThere(path);
    if (!file) return this.forget();
    try {
      if (this.names.length === 0) this.names = await curveColumns(this.folder);
      return await this.readNew(file, path);
    } finally {
      await file.close();
    }
  }

  private forget(): number {
    this.names = [];
    this.hole = undefined;
    return (this.count = 0);
  }

  private async readNew(file: FileHandle, path: string): Promise<number> {
    const bytes = this.names.length * 8;
    const { size } = await file.stat();
    if (size > MOST_BYTES)
      throw damaged(path, `has ${count(size)} bytes, and at most ${count(MOST_BYTES)} are read`);
    const there = Math.floor(size / bytes);
    // A known record is read again with the new ones, in case the file was truncated and has grown since.
    const known = Math.min(this.count, there);
    const from = Math.max(0, known - 1);
    this.reserve(there);
    const last = this.rows(from, known);
    const width = this.names.length;
    const room = this.values.subarray(from * width, there * width);
    const whole = from + (await readRecords(file, room, from, width));
    if (!sameBits(last, this.rows(from, Math.min(known, whole)))) {
      this.forget();
      this.names = await curveColumns(this.folder);
      return this.readNew(file, path);
    }
    this.requireAscending(path, from, whole);
    this.count = whole;
    return Math.min(known, whole);
  }

  private reserve(records: number): void {
    const width = this.names.length;
    if (records * width <= this.values.length) return;
    const capacity = Math.max(FIRST_CAPACITY * width, records * width, this.values.length * 2);
    const grown = new Float64Array(capacity);
    grown.set(this.values.subarray(0, this.count * width));
    this.values = grown;
  }

  private requireAscending(path: string, from: number, to: number): void {
    const width = this.names.length;
    const at = this.names.indexOf('step');
    if (this.hole && this.hole.at >= from) this.hole = undefined;
    for (let i = from; i < to; i++) {
      const step = this.values[i * width + at];
      const before = i === 0 ? 0 : this.values[(i - 1) * width + at];
      if (step > before + 1) this.hole ??= { from: before + 1, to: step - 1, at: i };
      if (step > before || (i === 0 && step === 0)) continue;
      this.count = Math.min(this.count, i);
      throw new AuroraError(
        'run',
        `${path} is damaged at record ${i}: step ${step} follows step ${before}.`,
        'It was changed or damaged after it was written; restore it from a copy.',
      );
    }
  }
}

/** Compares bits, since values may be NaN. */
const sameBits = (a: Float64Array, b: Float64Array): boolean =>
  a.length === b.length &&
  Buffer.compare(Buffer.from(a.buffer, 0, a.byteLength), Buffer.from(b.buffer, 0, b.byteLength)) === 0;
