import type { Place } from '../../engine/place';
import type { TaskOptions } from '../../engine/stepper';
import type { Experiment, TrainingSpec } from '../../experiment/experiment';

/** How a task is opened; spec.json from older versions has no precision or checkpointing. */
export function taskOptions(spec: Experiment, place: Place, threads: number): TaskOptions {
  const { precision, gradientCheckpointing }: Partial<TrainingSpec> = spec.training;
  return {
    place,
    threads,
    precision: precision ?? 'float32',
    gradientCheckpointing: gradientCheckpointing ?? false,
  };
}
