import { readScalars } from '../../runs/curve/scalars-reader';
import type { DivergedEvaluation, Evaluated, EvaluationMetrics } from '../../protocol/events';
import { majority } from '../../tasks/majority';
import type { Task } from '../task/task';

/**
 * Multiple of the loss of guessing above which an accuracy no better than the majority class means nothing is learned.
 */
const FAR_ABOVE = 3;
/** Multiple above which the accuracy does not matter. */
const BEYOND_ALL = 10;
/** Number of training steps in the recent mean loss. */
const RECENT = 10;

/** How an evaluation is judged. */
export type Judged =
  | { metrics: EvaluationMetrics }
  | (Pick<DivergedEvaluation, 'metrics'> & { diverged: DivergedEvaluation['reason'] });

/**
 * Finds evaluations of an exploded state, whose numbers are finite but mean nothing. The measure is the loss of
 * guessing, ln(labels), or the loss of the run's first step where that was higher. A state has exploded if
 *
 * - the mean training loss of the last ten steps is above that measure, and
 * - the validation loss is more than 3 times that with an accuracy no better than always giving the most frequent
 *   label, or more than 10 times that.
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
   * @param labels the number of labels
   * @param majorityAccuracy of always predicting the most frequent label
   */
  constructor(
    losses: readonly number[],
    private readonly labels: number,
    private readonly majorityAccuracy: number,
  ) {
    this.first = losses.at(0);
    this.recent = losses.slice(-RECENT);
  }

  /** For a run with the losses in its curve, so that a resumed run judges as if it had not been interrupted. */
  static of(task: Task, run: string): DivergenceWatch {
    const losses = [...(readScalars(run).column('loss') ?? [])];
    return new DivergenceWatch(losses, task.data.labels.length, majority(task.data).accuracy);
  }

  stepped(loss: number): void {
    this.first ??= loss;
    this.recent = [...this.recent, loss].slice(-RECENT);
  }

  judge(found: Evaluated): Judged {
    if (found === 'diverged') return { diverged: 'non-finite' };
    return this.hasExploded(found) ? { diverged: 'exploded', metrics: found } : { metrics: found };
  }

  private hasExploded({ loss, accuracy }: EvaluationMetrics): boolean {
    const measure = Math.max(Math.log(this.labels), this.first ?? 0);
    const training = this.recent.reduce((sum, l) => sum + l, 0) / this.recent.length;
    if (!(training > measure)) return false;
    return loss > BEYOND_ALL * measure || (loss > FAR_ABOVE * measure && accuracy <= this.majorityAccuracy);
  }
}
