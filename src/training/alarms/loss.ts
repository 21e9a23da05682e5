import { median } from '../loop/sample';
import { RECENT_STEPS, type Finding } from './finding';

/** Times the loss of the first step, or of guessing if that is higher. A model of any quality stays below 2. */
export const ABOVE_START = 3;
/** Times the average of the steps before. Batches of one run differ by less, even when most are fitted perfectly. */
export const ABOVE_HISTORY = 3;
/** Weight of the past in that average: about the last twenty steps count. */
const HISTORY_WEIGHT = 0.95;
/** Steps in the average before it is compared with: fewer are not informative. */
const HISTORY_STEPS = 15;
/**
 * Share of the loss of guessing below which no loss is a jump: once most examples are fitted, a batch with a few others
 * is many times the average.
 */
const SMALL_LOSS = 0.5;

/** Watches the training loss for values far above where it started, and far above its recent average. */
export class LossRules {
  private readonly recent: number[] = [];
  private first: number | undefined;
  private history = 0;
  private averaged = 0;

  /** @param guessLoss of giving every answer the same probability */
  constructor(private readonly guessLoss: number) {}

  /** @param loss of the batch of this step */
  stepped(step: number, loss: number): Finding[] {
    this.first ??= loss;
    this.recent.push(loss);
    if (this.recent.length > RECENT_STEPS) this.remember(this.recent.shift()!);
    if (this.recent.length < RECENT_STEPS) return [];
    const value = median(this.recent);
    const since = step - RECENT_STEPS;
    return [...this.aboveStart(value), ...this.aboveHistory(value)].map((f) => ({ ...f, step, since }));
  }

  private remember(loss: number): void {
    const weight = this.averaged === 0 ? 0 : HISTORY_WEIGHT;
    this.history = weight * this.history + (1 - weight) * loss;
    this.averaged++;
  }

  private aboveStart(value: number): Pick<Finding, 'alarm' | 'value' | 'threshold' | 'reference'>[] {
    const reference = Math.max(this.first!, this.guessLoss);
    const threshold = ABOVE_START * reference;
    return value > threshold ? [{ alarm: 'loss-above-start', value, threshold, reference }] : [];
  }

  private aboveHistory(value: number): Pick<Finding, 'alarm' | 'value' | 'threshold' | 'reference'>[] {
    if (this.averaged < HISTORY_STEPS) return [];
    const reference = this.history;
    const threshold = Math.max(ABOVE_HISTORY * reference, this.first!, SMALL_LOSS * this.guessLoss);
    return value > threshold ? [{ alarm: 'loss-jump', value, threshold, reference }] : [];
  }
}
