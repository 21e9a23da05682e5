import { lengthOf } from '../../data/batch';
import { epochOrder } from '../../data/order';
import type { JudgedBatch } from '../../engine/stepper';
import { DropoutMasks } from '../optimizer/dropout';
import { initialParameters, type Task } from '../task/task';
import { perturbed } from '../task/perturb';

/** Enough rows to see a layer's outliers, few enough for any memory that can hold a step. */
const EXAMPLES = 8;

/**
 * The beginning of a run's first batch. Not of the current one, with its parameters: a resumed run must choose the same
 * layers. The initial ones are perturbed, since those that are 0 hide the gradients of others.
 */
export async function int8Batch(task: Task): Promise<JudgedBatch> {
  const { trainingSet: dataset, spec } = task;
  const { training } = spec;
  const [batch] = epochOrder(dataset, { ...training, epoch: 0 });
  const examples = batch.slice(0, Math.min(EXAMPLES, training.microBatchSize ?? EXAMPLES));
  const length = lengthOf(dataset, examples);
  const masks = new DropoutMasks(task, training.seed).masks(0, examples, length);
  return {
    inputs: { ...(await task.feeds(dataset, examples)), ...masks },
    parameters: perturbed(initialParameters(task), training.seed),
  };
}
