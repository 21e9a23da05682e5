import type { MetricName, TrainingSpec } from '../shared/experiment';

/** Of two values of a metric, whether the first is better by more than `margin`: less for the loss, more for all others. */
export const isBetter = (metric: MetricName, value: number, than: number, margin = 0): boolean =>
  metric === 'loss' ? than - value > margin : value - than > margin;

export interface EarlyStoppingState {
  /** The best value so far; null before the first. */
  best: number | null;
  /** The value that the next must beat by `minDelta` to count as progress; null before the first. */
  reference: number | null;
  /** Evaluations since the last progress. */
  withoutProgress: number;
}

export const NOTHING_YET: EarlyStoppingState = { best: null, reference: null, withoutProgress: 0 };

/**
 * Follows one validation metric: which evaluation is the best, and when to give up. Progress is measured
 * from the last progress, not from the best, so that many small gains together do count (as Keras).
 */
export class EarlyStopping {
  private now = NOTHING_YET;

  constructor(
    private readonly metric: MetricName,
    /** Left out: never stops, only finds the best. */
    private readonly rule?: TrainingSpec['earlyStopping'],
  ) {}

  /** Takes the next evaluation's value; NaN is never the best and never progress. */
  update(value: number): { best: boolean; stop: boolean } {
    const first = this.now.best === null && !Number.isNaN(value);
    const best = first || isBetter(this.metric, value, this.now.best!);
    const progress = first || isBetter(this.metric, value, this.now.reference!, this.rule?.minDelta);
    this.now = {
      best: best ? value : this.now.best,
      reference: progress ? value : this.now.reference,
      withoutProgress: progress ? 0 : this.now.withoutProgress + 1,
    };
    return { best, stop: this.rule !== undefined && this.now.withoutProgress >= this.rule.patience };
  }

  state(): EarlyStoppingState {
    return { ...this.now };
  }

  load(state: EarlyStoppingState): void {
    this.now = { ...state };
  }
}
