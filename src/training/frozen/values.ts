import { closeSync, openSync, readSync } from 'node:fs';
import { sizeOf, type Dataset } from '../../data/dataset';
import { AuroraError } from '../../base/errors';
import { reopening } from '../../files/read';
import type { Prefix } from './prefix';

const FLOAT_BYTES = 4;

/**
 * A prefix's values for every example of some data sets, in a file: float32, one row for each example, or for each of
 * its tokens without padding. Read batch by batch; the system caches as much as fits in memory.
 */
export class FrozenValues {
  /** Size of the whole file. */
  readonly bytes: number;
  private readonly starts = new Map<Dataset, number[]>();

  constructor(
    readonly path: string,
    readonly prefix: Pick<Prefix, 'width' | 'perToken'>,
    datasets: readonly Dataset[],
  ) {
    let at = 0;
    for (const dataset of datasets) {
      const starts = Array.from({ length: dataset.examples.length }, (_, i) => {
        const start = at;
        at += FLOAT_BYTES * prefix.width * this.rows(dataset, i);
        return start;
      });
      this.starts.set(dataset, starts);
    }
    this.bytes = at;
  }

  rows(dataset: Dataset, example: number): number {
    return this.prefix.perToken ? sizeOf(dataset, example) : 1;
  }

  /** Byte offset of an example. */
  start(dataset: Dataset, example: number): number {
    return this.starts.get(dataset)![example];
  }

  /** Values of some examples, each padded with zeros to `rows` rows. */
  read(dataset: Dataset, examples: readonly number[], rows: number): Float32Array {
    try {
      return reopening(() => this.readOnce(dataset, examples, rows));
    } catch (cause) {
      if (cause instanceof AuroraError) throw cause;
      throw this.gone(`can no longer be read (${(cause as NodeJS.ErrnoException).code})`);
    }
  }

  private readOnce(dataset: Dataset, examples: readonly number[], rows: number): Float32Array {
    const { width } = this.prefix;
    const out = new Float32Array(examples.length * rows * width);
    const bytes = new Uint8Array(out.buffer);
    const file = openSync(this.path, 'r');
    try {
      examples.forEach((example, i) => {
        const length = FLOAT_BYTES * width * this.rows(dataset, example);
        const at = FLOAT_BYTES * width * rows * i;
        if (readSync(file, bytes, at, length, this.start(dataset, example)) !== length)
          throw this.gone('has been truncated');
      });
    } finally {
      closeSync(file);
    }
    return out;
  }

  private gone(what: string): AuroraError {
    return new AuroraError(
      'disk',
      `The file of precomputed values ${this.path} ${what}.`,
      'Resume the run or its sweep: the file is computed again.',
    );
  }
}
