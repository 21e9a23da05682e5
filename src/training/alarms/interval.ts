/** The training losses between two evaluations. */
export interface Interval {
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
