import type { Place } from '../../engine/place';
import type { TaskOptions } from '../../engine/stepper';
import type { Experiment, TrainingSpec } from '../../experiment/experiment';

/** How a task is opened; spec.json of an older version says nothing of precision and checkpointing. */
export function taskOptions(spec: Experiment, place: Place, threads: number): TaskOptions {
  const { precision, gradientCheckpointing }: Partial<TrainingSpec> = spec.training;
  return {
    place,
    threads,
    precision: precision ?? 'float32',
    gradientCheckpointing: gradientCheckpointing ?? false,
  };
}
