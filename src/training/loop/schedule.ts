import type { TrainingSpec } from '../../experiment/experiment';

/** Warm-up steps: `warmupSteps` if given, otherwise the ratio's share of all steps, rounded up. */
export const warmupStepsOf = (
  training: Pick<TrainingSpec, 'warmupRatio' | 'warmupSteps'>,
  totalSteps: number,
): number => training.warmupSteps ?? Math.ceil(totalSteps * training.warmupRatio);

/**
 * The factor on the learning rate at optimizer step `step`, counted from 0 (transformers' get_scheduler:
 * linear, cosine with half a wave, constant_with_warmup). With warm-up, step 0 has factor 0.
 */
export function scheduleFactor(
  schedule: TrainingSpec['schedule'],
  step: number,
  warmupSteps: number,
  totalSteps: number,
): number {
  if (step < warmupSteps) return step / Math.max(1, warmupSteps);
  if (schedule === 'constant') return 1;
  const span = Math.max(1, totalSteps - warmupSteps);
  if (schedule === 'linear') return Math.max(0, (totalSteps - step) / span);
  // Past the last step the wave would rise again.
  return Math.max(0, 0.5 * (1 + Math.cos(Math.PI * Math.min(1, (step - warmupSteps) / span))));
}
