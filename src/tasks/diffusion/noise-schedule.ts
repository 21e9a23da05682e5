import { AuroraError } from '../../base/errors';
import { BETA_SCHEDULES, cumulativeAlphas, makeBetas, withZeroTerminalSnr } from './betas';
import { readSchedulerConfig, type SchedulerConfig } from './scheduler-config';

/** The prediction of a U-Net: the noise ε, or v = √ᾱ·ε − √(1 − ᾱ)·x₀ (Salimans and Ho, 2022). */
export const PREDICTION_TYPES = ['epsilon', 'v_prediction'] as const;
export type PredictionType = (typeof PREDICTION_TYPES)[number];

/** The mixture of noise and picture at each timestep of training. */
export interface NoiseSchedule {
  predictionType: PredictionType;
  /** ᾱₜ for t = 0, 1, …: xₜ = √ᾱₜ·x₀ + √(1 − ᾱₜ)·ε. The last may be 0. */
  alphasCumprod: Float64Array;
  /** The settings that samplers read besides. */
  config: SchedulerConfig;
}

/** More timesteps than any model was trained with. */
const MOST_STEPS = 100_000;

/**
 * @param path of a pipeline's scheduler/scheduler_config.json
 * @throws AuroraError 'model' if it cannot be read or describes a process that is not supported
 */
export const readNoiseSchedule = (path: string): NoiseSchedule => noiseSchedule(readSchedulerConfig(path));

/** The schedule of diffusers' DDPMScheduler, with which it trains whatever the class in the file. */
export function noiseSchedule(config: SchedulerConfig): NoiseSchedule {
  const predictionType = config.choice('prediction_type', PREDICTION_TYPES, 'epsilon');
  const betas =
    config.numbers('trained_betas') ??
    makeBetas(
      config.choice('beta_schedule', BETA_SCHEDULES, 'linear'),
      config.number('beta_start', 0.0001),
      config.number('beta_end', 0.02),
      config.integer('num_train_timesteps', 1000, 1, MOST_STEPS),
    );
  const alphas = cumulativeAlphas(betas);
  if (betas.length === 0 || !betas.every((b) => b > 0 && b < 1))
    throw new AuroraError(
      'model',
      `${config.path}: its noise variances (beta_start, beta_end, beta_schedule or trained_betas) are not all between 0 and 1.`,
      'Download the scheduler of this pipeline again.',
    );
  const zeroSnr = config.flag('rescale_betas_zero_snr', false);
  if (zeroSnr && predictionType === 'epsilon')
    throw new AuroraError(
      'model',
      `${config.path}: rescale_betas_zero_snr is true, but prediction_type is "epsilon": where nothing is left of the picture, noise cannot be predicted.`,
      'Set prediction_type to "v_prediction" if the model was trained for it; otherwise remove rescale_betas_zero_snr.',
    );
  return { predictionType, alphasCumprod: zeroSnr ? withZeroTerminalSnr(alphas) : alphas, config };
}
