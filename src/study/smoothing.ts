import { power } from '../base/power';

/** Weights of the past to choose from; 0 does not smooth. */
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
export class MovingAverage {
  private mean = 0;
  private count = 0;

  /** @param weight of the past, at least 0 and below 1 */
  constructor(private readonly weight: number) {}

  /** The average after one more value; NaN at a gap. */
  add(value: number): number {
    if (!Number.isFinite(value)) return NaN;
    this.count++;
    this.mean = this.weight * this.mean + (1 - this.weight) * value;
    return this.mean / (1 - power(this.weight, this.count));
  }
}
