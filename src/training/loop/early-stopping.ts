import { isBetter, type MetricName, type MetricValue } from '../../experiment/metrics';
import type { TrainingSpec } from '../../experiment/experiment';

export interface EarlyStoppingState {
  /** The best value so far; null before the first. */
  best: number | null;
  /** The value that the next must beat by `minDelta` to count as progress; null before the first. */
  reference: number | null;
  /** Evaluations since the last progress. */
  withoutProgress: number;
}

export const NOTHING_YET: EarlyStoppingState = { best: null, reference: null, withoutProgress: 0 };

/** If the best evaluation no longer counts, or its adapter is gone, the next one is the best. */
export const withoutBest = (state: EarlyStoppingState): EarlyStoppingState => ({
  ...state,
  best: null,
  reference: null,
});

/**
 * Follows one validation metric: which evaluation is the best, and when to stop. Progress is measured from the last
 * progress, not from the best, so that many small gains add up (as in Keras).
 */
export class EarlyStopping {
  private now = NOTHING_YET;

  constructor(
    private readonly metric: MetricName,
    /** If left out, it never stops and only finds the best. */
    private readonly rule?: TrainingSpec['earlyStopping'],
  ) {}

  /** Takes the next evaluation's value; a diverged one never counts as best or as progress. */
  update(value: MetricValue): { best: boolean; stop: boolean } {
    const beats = (before: number | null, margin?: number) =>
      before === null || isBetter(this.metric, value, before, margin);
    const best = value !== 'diverged' && beats(this.now.best);
    const progress = value !== 'diverged' && beats(this.now.reference, this.rule?.minDelta);
    this.now = {
      best: best ? value : this.now.best,
      reference: progress ? value : this.now.reference,
      withoutProgress: progress ? 0 : this.now.withoutProgress + 1,
    };
    return { best, stop: this.isOver };
  }

  /** True if the evaluations so far require stopping. */
  get isOver(): boolean {
    return this.rule !== undefined && this.now.withoutProgress >= this.rule.patience;
  }

  state(): EarlyStoppingState {
    return { ...this.now };
  }

  load(state: EarlyStoppingState): void {
    this.now = { ...state };
  }
}
