import type { PairedRise } from '../protocol/nonlinearity';
import { type Difference, errorOf, halfOf } from '../study/statistics/difference';
import { pairedT } from '../study/statistics/paired-tests';
import type { Measured } from './measure';
import type { Task } from './task/task';

/** The loss of each validation example, weighted so that their mean is the loss. */
export function exampleLosses(task: Task, { logits }: Pick<Measured, 'logits'>): Float64Array {
  const { validation } = task.data;
  const { loss } = task.kind.predictions(validation, task.data, logits).columns;
  const weights = validation.dataset.examples.map((example) => task.kind.weight(example));
  const mean = weights.reduce((a, b) => a + b, 0) / weights.length;
  // An example without a token to predict has no loss.
  return Float64Array.from(loss, (l, i) => (weights[i] === 0 ? 0 : (weights[i] * l) / mean));
}

/** The rise of the loss from one model to another, paired over the examples. */
export const lossRise = (from: Float64Array, to: Float64Array): PairedRise =>
  riseOf(pairedT(to.map((loss, i) => loss - from[i])));

export const riseOf = (difference: Difference): PairedRise => ({
  mean: difference.mean,
  error: errorOf(difference),
  half: halfOf(difference),
});
