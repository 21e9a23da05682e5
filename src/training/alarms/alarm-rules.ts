import { isBetter, metricValue } from '../../experiment/metrics';
import type { Baseline } from '../../protocol/baseline';
import type { Alarm, EvaluationMetrics } from '../../protocol/events';
import { median } from '../loop/sample';

/** Times the loss of the first step, or of guessing if that is higher. A model of any quality stays below 2. */
const ABOVE_START = 3;
/** Times the average of the steps before. Batches of one run differ by less, even when most are fitted perfectly. */
const ABOVE_HISTORY = 3;
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

/** Share of the lowest validation loss by which it must have risen: less is common between two epochs. */
const RISEN = 0.25;
/** In addition, as a share of the loss of guessing: a share of almost nothing is nothing. */
const RISEN_OF_GUESS = 0.05;

/** Watches for a validation loss that rises while the training loss falls. */
export class OverfittingRule {
  private lowest: { step: number; loss: number; training: number } | undefined;

  /** @param guessLoss of giving every answer the same probability */
  constructor(private readonly guessLoss: number) {}

  /** @param interval the training losses since the previous evaluation */
  evaluated(step: number, loss: number, { mean: training }: Interval): Finding[] {
    const { lowest } = this;
    if (!lowest || loss < lowest.loss) this.lowest = { step, loss, training };
    if (!lowest) return [];
    const threshold = lowest.loss * (1 + RISEN) + RISEN_OF_GUESS * this.guessLoss;
    if (!(loss > threshold && training < lowest.training)) return [];
    return [
      {
        ...{ alarm: 'overfitting', step, since: lowest.step },
        ...{ value: loss, threshold, reference: lowest.loss },
      },
    ];
  }
}

/**
 * Share of the validation loss within which it has not moved: evaluations are of the same examples, so that even slow
 * learning changes it by more.
 */
const UNMOVED = 0.001;
/** A fall of the mean training loss that chance may make: as a share of it, and in standard errors. */
const FALL = { share: 0.01, errors: 2 };
/** Share of the largest learning rate so far below which nothing is expected to move, as at a schedule's end. */
const LEAST_RATE = 0.1;
/** Share of the loss of guessing below which the model has learned all that can be learned. */
const LEARNED = 0.1;
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

/** The training losses between two evaluations. */
interface Interval {
  steps: number;
  mean: number;
  /** The standard error of the mean. */
  standardError: number;
}

/** Adds up the losses since the previous evaluation. */
export class IntervalLoss {
  private steps = 0;
  private mean = 0;
  /** The sum of squared differences from the mean (Welford's method). */
  private squares = 0;

  stepped(loss: number): void {
    this.steps++;
    const before = loss - this.mean;
    this.mean += before / this.steps;
    this.squares += before * (loss - this.mean);
  }

  /** The interval that ends here; the next one begins. */
  take(): Interval {
    const { steps, mean, squares } = this;
    [this.steps, this.mean, this.squares] = [0, 0, 0];
    const variance = steps > 1 ? squares / (steps - 1) : 0;
    return { steps, mean, standardError: steps > 0 ? Math.sqrt(variance / steps) : 0 };
  }
}

/** Times the median of earlier steps, before clipping. In the studies' good runs it stays below 3 times. */
const EXPLODED = 20;
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

/** Evaluations that may be no better than the baseline: many models begin there. The run's last one may not. */
const ALLOWED_EVALUATIONS = 1;

/** Watches for a run of which no evaluation is better than the best answer that ignores the input. */
export class BaselineRule {
  private evaluations = 0;
  private best: number | undefined;
  private better = false;

  /** @param steps of the whole run */
  constructor(
    private readonly baseline: Baseline,
    private readonly steps: number,
  ) {}

  /** @param metrics also those of an exploded model */
  evaluated(step: number, metrics: EvaluationMetrics): Finding[] {
    const { answer, metric, value: reference } = this.baseline;
    const value = metricValue(metrics, metric);
    if (Number.isNaN(value)) return [];
    this.evaluations++;
    if (this.best === undefined || isBetter(metric, value, this.best)) this.best = value;
    this.better ||= isBetter(metric, value, reference);
    if (this.better || (this.evaluations <= ALLOWED_EVALUATIONS && step < this.steps)) return [];
    return [
      {
        ...{ alarm: 'no-better-than-baseline', step, since: 0 },
        ...{ value: this.best, threshold: reference, reference, metric, answer },
      },
    ];
  }
}

/** A rule's observation; it is an alarm the first time. */
export type Finding = Alarm;

/** Steps whose median is judged: one odd batch does not matter, and three of five do. */
const RECENT_STEPS = 5;
