import type { Place } from '../../engine/place';
import type { TaskOptions } from '../../engine/stepper';
import type { TrainingSpec } from '../../experiment/experiment';
import type { Task } from '../task/task';
import { int8Batch } from './int8-batch';

/** How a task is opened; spec.json from older versions has no precision or checkpointing. */
export function taskOptions(task: Task, place: Place, threads: number): TaskOptions {
  const { precision, gradientCheckpointing }: Partial<TrainingSpec> = task.spec.training;
  return {
    place,
    threads,
    precision: precision ?? 'float32',
    gradientCheckpointing: gradientCheckpointing ?? false,
    ...(precision === 'int8' && { judgedBatch: () => int8Batch(task) }),
  };
}
