import type { Finding } from './finding';
import type { Interval } from './interval';

/**
 * Share of the validation loss within which it has not moved: evaluations are of the same examples, so that even slow
 * learning changes it by more.
 */
export const UNMOVED = 0.001;
/** A fall of the mean training loss that chance may make: as a share of it, and in standard errors. */
export const FALL = { share: 0.01, errors: 2 };
/** Share of the largest learning rate so far below which nothing is expected to move, as at a schedule's end. */
export const LEAST_RATE = 0.1;
/** Share of the loss of guessing below which the model has learned all that can be learned. */
export const LEARNED = 0.1;
/** Steps between two evaluations: fewer may change nothing. */
const LEAST_STEPS = 5;

/** Watches for two evaluations between which neither loss has moved, though the learning rate is not small. */
export class PlateauRule {
  private before: { step: number; loss: number; interval: Interval } | undefined;
  private rate = { now: 0, largest: 0 };

  /** @param guessLoss of giving every answer the same probability; @param warmupSteps in which nothing is expected yet */
  constructor(
    private readonly guessLoss: number,
    private readonly warmupSteps: number,
  ) {}

  stepped(learningRate: number): void {
    this.rate = { now: learningRate, largest: Math.max(this.rate.largest, learningRate) };
  }

  evaluated(step: number, loss: number, interval: Interval): Finding[] {
    const { before } = this;
    this.before = { step, loss, interval };
    if (!before || before.step < this.warmupSteps) return [];
    if (interval.steps < LEAST_STEPS || before.interval.steps < LEAST_STEPS) return [];
    if (this.rate.now < LEAST_RATE * this.rate.largest || loss < LEARNED * this.guessLoss) return [];
    const threshold = UNMOVED * before.loss;
    if (Math.abs(loss - before.loss) > threshold || hasFallen(before.interval, interval)) return [];
    return [{ alarm: 'plateau', step, since: before.step, value: loss, threshold, reference: before.loss }];
  }
}

function hasFallen(before: Interval, now: Interval): boolean {
  const noise = Math.hypot(before.standardError, now.standardError);
  return before.mean - now.mean > Math.max(FALL.share * before.mean, FALL.errors * noise);
}
