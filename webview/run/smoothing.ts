import { MovingAverage } from '../../src/study/smoothing';
import { Growing } from './growing';
import type { Derived } from './model';

/** The moving average of a series that grows. */
export class Smoothed implements Derived {
  private readonly out = new Growing();
  private average: MovingAverage;

  constructor(
    private readonly source: () => Float64Array,
    private readonly weight: number,
  ) {
    this.average = new MovingAverage(weight);
  }

  truncate(length: number): void {
    if (length >= this.out.length) return;
    this.out.truncate(0);
    this.average = new MovingAverage(this.weight);
  }

  extend(records: number): Float64Array {
    const source = this.source();
    this.out.reserve(records);
    for (let i = this.out.length; i < records; i++) this.out.push(this.average.add(source[i]));
    return this.out.view;
  }
}
