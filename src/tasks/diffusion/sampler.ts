import type { SamplerName } from '../../experiment/pictures';
import { ddim } from './ddim';
import { euler } from './euler';
import type { NoiseSchedule } from './noise-schedule';

/** Both are deterministic: a picture depends on its noise alone. */
const SAMPLERS: Record<
  SamplerName,
  (schedule: NoiseSchedule, steps: number, noise: ArrayLike<number>) => Sampler
> = { ddim, euler };

/** Draws one picture, a prediction at a time: take `next`, predict from it, give the prediction to `step`. */
export interface Sampler {
  /** The number of predictions in total. */
  readonly steps: number;
  /** The latents so far: once no step is left, those of the picture. */
  readonly latents: Float64Array;
  /** The input of the model's next prediction; undefined once the picture is complete. */
  next(): SamplerStep | undefined;
  /** @param prediction for the result of `next`: ε or v as the schedule's prediction type is, guidance included */
  step(prediction: ArrayLike<number>): void;
}

export interface SamplerStep {
  /** From 0. */
  index: number;
  /** The noisy latents in the scale of training. */
  input: Float32Array;
  /** May be a fraction: between the timesteps of training. */
  timestep: number;
}

/**
 * @param noise standard normal, as large as the latents
 * @throws AuroraError 'model' for a setting of the scheduler that this sampler does not have; 'usage' for too many steps
 */
export const startSampler = (
  name: SamplerName,
  schedule: NoiseSchedule,
  steps: number,
  noise: ArrayLike<number>,
): Sampler => SAMPLERS[name](schedule, steps, noise);
