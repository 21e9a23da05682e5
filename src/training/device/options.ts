import type { Place } from '../../engine/place';
import type { TaskOptions } from '../../engine/stepper';
import type { Task } from '../task/task';
import { int8Batch } from './int8-batch';

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
