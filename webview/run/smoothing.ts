import { Growing } from './growing';
import type { Derived } from './model';

/** Weights of the past to choose from; 0 is no smoothing. */
export const WEIGHTS = [0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999] as const;

/** With fewer values than this, a smoothed curve would hide more than it shows. */
const FEW = 30;
/** A smoothed value sums up about this share of the run. */
const SHARE = 1 / 25;

/**
 * The weight that suits a run: a curve of any length gets about the same smoothness, and one with few values none.
 *
 * @param records number of values of the curve
 */
export function weightFor(records: number): number {
  if (records < FEW) return 0;
  // A weight w averages over about 1 / (1 - w) values.
  const wanted = 1 - 1 / Math.max(1, records * SHARE);
  return WEIGHTS.filter((w) => w <= wanted + 1e-9).at(-1)!;
}

/**
 * Exponential moving average with bias correction, as in TensorBoard: m_i = w m_{i-1} + (1 - w) y_i and s_i = m_i / (1
 * - w^i), with i counted from 1. Non-finite values are skipped and remain gaps.
 */
export class Smoothed implements Derived {
  private readonly out = new Growing();
  private mean = 0;
  private count = 0;

  constructor(
    private readonly source: () => Float64Array,
    private readonly weight: number,
  ) {}

  truncate(length: number): void {
    if (length >= this.out.length) return;
    this.out.truncate(0);
    this.mean = this.count = 0;
  }

  extend(records: number): Float64Array {
    const { weight } = this;
    const source = this.source();
    this.out.reserve(records);
    for (let i = this.out.length; i < records; i++) {
      const value = source[i];
      if (!Number.isFinite(value)) {
        this.out.push(NaN);
        continue;
      }
      this.count++;
      this.mean = weight * this.mean + (1 - weight) * value;
      this.out.push(this.mean / (1 - weight ** this.count));
    }
    return this.out.view;
  }
}
