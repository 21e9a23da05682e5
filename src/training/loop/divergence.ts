import { readScalars } from '../../runs/curve/scalars';
import type { DivergedEvaluation, Evaluated, EvaluationMetrics } from '../../protocol/events';
import { isBetter, metricValue } from '../../experiment/metrics';
import type { Baseline } from '../../protocol/baseline';
import type { Task } from '../task/task';

/**
 * Multiple of the loss of guessing above which a model no better than the baseline has learned nothing.
 */
const FAR_ABOVE = 3;
/** Multiple above which the baseline does not matter. */
const BEYOND_ALL = 10;
/** Number of training steps in the recent mean loss. */
const RECENT = 10;

/** The verdict on an evaluation. */
export type Judged =
  | { metrics: EvaluationMetrics }
  | (Pick<DivergedEvaluation, 'metrics'> & { diverged: DivergedEvaluation['reason'] });

/**
 * Finds evaluations of an exploded state, whose numbers are finite but mean nothing. The measure is the loss of
 * guessing (ln(labels) for labels) or the loss of the run's first step where that was higher. A state has exploded if
 *
 * - the mean training loss of the last ten steps is above that measure, and
 * - the validation loss is more than 3 times that with a metric no better than the best answer that ignores the input,
 *   or more than 10 times that.
 *
 * A normal run never fulfils both: one that overfits, however badly, has a low training loss; one that learns slowly,
 * or begins from a model with other labels, has a validation loss near the measure or below. Only steps that are too
 * large leave a model that fits its own training data worse than it did before, and worse than guessing.
 */
export class DivergenceWatch {
  private recent: number[];
  private first: number | undefined;

  /**
   * @param losses of the steps so far, from the run's first
   * @param guessLoss of giving every answer the same probability
   * @param baseline of the best answer that does not depend on the input
   */
  constructor(
    losses: readonly number[],
    private readonly guessLoss: number,
    private readonly baseline: Pick<Baseline, 'metric' | 'value'>,
  ) {
    this.first = losses.at(0);
    this.recent = losses.slice(-RECENT);
  }

  /** For a run with the losses in its curve, so that a resumed run judges as if it had not been interrupted. */
  static of(task: Task, run: string): DivergenceWatch {
    const losses = [...(readScalars(run).column('loss') ?? [])];
    const { data, kind } = task;
    return new DivergenceWatch(losses, kind.guessLoss(data), kind.baseline(data));
  }

  stepped(loss: number): void {
    this.first ??= loss;
    this.recent = [...this.recent, loss].slice(-RECENT);
  }

  judge(found: Evaluated): Judged {
    if (found === 'diverged') return { diverged: 'non-finite' };
    return this.hasExploded(found) ? { diverged: 'exploded', metrics: found } : { metrics: found };
  }

  private hasExploded(metrics: EvaluationMetrics): boolean {
    const { loss } = metrics;
    const { metric, value } = this.baseline;
    const measure = Math.max(this.guessLoss, this.first ?? 0);
    const training = this.recent.reduce((sum, l) => sum + l, 0) / this.recent.length;
    if (!(training > measure)) return false;
    return (
      loss > BEYOND_ALL * measure ||
      (loss > FAR_ABOVE * measure && !isBetter(metric, metricValue(metrics, metric), value))
    );
  }
}
