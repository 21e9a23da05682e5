import { median } from '../loop/sample';
import { RECENT_STEPS, type Finding } from './finding';

/** Times the median of earlier steps, before clipping. In the studies' good runs it stays below 3 times. */
export const EXPLODED = 20;
/** Number of earlier steps in that median. */
const HISTORY = 50;
/** Fewer are not informative. */
const LEAST_HISTORY = 8;
/** Smaller norms count as this: once the data are fitted, an odd batch is a large factor of almost nothing. */
const SMALL_NORM = 0.5;

/** Watches the norm of the gradients. */
export class GradientRule {
  private readonly recent: number[] = [];
  private readonly history: number[] = [];

  /** @param norm before clipping; NaN if the step was skipped, which does not count */
  stepped(step: number, norm: number): Finding[] {
    if (Number.isNaN(norm)) return [];
    this.recent.push(norm);
    if (this.recent.length > RECENT_STEPS) this.history.push(this.recent.shift()!);
    if (this.history.length > HISTORY) this.history.shift();
    if (this.history.length < LEAST_HISTORY) return [];
    const value = median(this.recent);
    const reference = Math.max(SMALL_NORM, median(this.history));
    const threshold = EXPLODED * reference;
    if (!(value > threshold)) return [];
    return [{ alarm: 'gradient-explosion', step, since: step - RECENT_STEPS, value, threshold, reference }];
  }
}
