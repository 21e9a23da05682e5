import type { FileHandle } from 'node:fs/promises';
import { openIfThere } from '../../files/read';
import { MovingAverage, weightFor } from '../../study/smoothing';
import { runPaths } from '../layout';
import { curveColumns, readRecords } from './scalar-records';

/** The reach in lengths of the average: earlier losses have a share of e^-16 in it. */
const REACH = 16;

/**
 * The smoothed training loss at a run's last step, as the headline of its dashboard has it. Reads the records that the
 * average reaches back to, at most 16,000, and then only new ones: never a whole long curve.
 */
export class RecentLoss {
  private columns: readonly string[] = [];
  private records = 0;
  private weight = NaN;
  private average = new MovingAverage(0);
  /** The last record, to notice that a resume has replaced it. */
  private last = new Float64Array(0);
  private value: number | undefined;

  constructor(private readonly run: string) {}

  /**
   * Undefined before the first step, and if the loss of the last one is not finite.
   *
   * @throws AuroraError 'run' if the columns of the curve cannot be read
   */
  async read(): Promise<number | undefined> {
    const file = await openIfThere(runPaths(this.run).scalars);
    if (!file) return undefined;
    try {
      if (this.columns.length === 0) this.columns = await curveColumns(this.run);
      return await this.readNew(file);
    } finally {
      await file.close();
    }
  }

  private async readNew(file: FileHandle): Promise<number | undefined> {
    const width = this.columns.length;
    const records = Math.floor((await file.stat()).size / (8 * width));
    const weight = weightFor(records);
    if (weight !== this.weight || records < this.records || !(await this.isThere(file))) {
      this.weight = weight;
      this.average = new MovingAverage(weight);
      this.records = Math.max(0, records - Math.ceil(REACH / (1 - weight)));
    }
    const rows = await readRows(file, width, this.records, records);
    const at = this.columns.indexOf('loss');
    for (let i = 0; i < rows.length; i += width) this.value = this.average.add(rows[i + at]);
    if (rows.length > 0) this.last = rows.slice(-width);
    this.records += rows.length / width;
    return this.records > 0 && Number.isFinite(this.value) ? this.value : undefined;
  }

  private async isThere(file: FileHandle): Promise<boolean> {
    const { last, records } = this;
    if (records === 0 || last.length === 0) return true;
    const now = await readRows(file, last.length, records - 1, records);
    return now.every((value, i) => Object.is(value, last[i]));
  }
}

/** Whole records; fewer than asked for if the file has become shorter. */
async function readRows(file: FileHandle, width: number, from: number, to: number): Promise<Float64Array> {
  const rows = new Float64Array((to - from) * width);
  return rows.subarray(0, (await readRecords(file, rows, from, width)) * width);
}
