import type { Finding } from './finding';
import type { Interval } from './interval';

/** Share of the lowest validation loss by which it must have risen: less is common between two epochs. */
export const RISEN = 0.25;
/** In addition, as a share of the loss of guessing: a share of almost nothing is nothing. */
export const RISEN_OF_GUESS = 0.05;

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
