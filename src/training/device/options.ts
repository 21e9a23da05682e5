import { lengthOf } from '../../data/batch';
import { epochOrder } from '../../data/row-order';
import type { Place } from '../../engine/place';
import type { JudgedBatch, TaskOptions } from '../../engine/stepper';
import { DropoutMasks } from '../optimizer/dropout';
import { perturbed } from '../task/initialize';
import { initialParameters, type Task } from '../task/task';

/** The options with which a task is opened. */
export function taskOptions(task: Task, place: Place, threads: number): TaskOptions {
  const { precision, gradientCheckpointing } = task.spec.training;
  return {
    place,
    threads,
    precision,
    gradientCheckpointing,
    ...(precision === 'int8' && { judgedBatch: () => int8Batch(task) }),
  };
}

/** Enough rows to see a layer's outliers, few enough for any memory that can hold a step. */
const EXAMPLES = 8;

/**
 * The beginning of a run's first batch. Not of the current one, with its parameters: a resumed run must choose the same
 * layers. The initial ones are perturbed, since those that are 0 hide the gradients of others.
 */
async function int8Batch(task: Task): Promise<JudgedBatch> {
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
