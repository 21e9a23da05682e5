import { readJson } from '../../files/json';
import { readIfThereSync } from '../../files/read';
import { runPaths } from '../layout';
import { columnsOf } from './scalars-columns';

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
export function readColumns(run: string): string[] {
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
