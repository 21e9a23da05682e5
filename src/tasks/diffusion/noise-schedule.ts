import { AuroraError } from '../../base/errors';
import { readSchedulerConfig, type SchedulerConfig } from './scheduler-config';

/** The prediction of a U-Net: the noise ε, or v = √ᾱ·ε − √(1 − ᾱ)·x₀ (Salimans and Ho, 2022). */
const PREDICTION_TYPES = ['epsilon', 'v_prediction'] as const;
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

/** The schedules of noise variances β over the timesteps, with the names of diffusers' schedulers. */
const BETA_SCHEDULES = ['linear', 'scaled_linear', 'squaredcos_cap_v2'] as const;
export type BetaSchedule = (typeof BETA_SCHEDULES)[number];

/** The largest β of the cosine schedule: Nichol and Dhariwal, "Improved denoising diffusion probabilistic models" (2021). */
const MOST_BETA = 0.999;

/** @returns `steps` values of β, from 0 to 1 */
function makeBetas(schedule: BetaSchedule, start: number, end: number, steps: number): Float64Array {
  if (schedule === 'linear') return linspace(start, end, steps);
  if (schedule === 'scaled_linear')
    return linspace(Math.sqrt(start), Math.sqrt(end), steps).map((b) => b * b);
  const alphaBar = (t: number) => Math.cos((((t + 0.008) / 1.008) * Math.PI) / 2) ** 2;
  return Float64Array.from({ length: steps }, (_, i) =>
    Math.min(1 - alphaBar((i + 1) / steps) / alphaBar(i / steps), MOST_BETA),
  );
}

/** ᾱ of each timestep: the product of 1 − β up to it. */
function cumulativeAlphas(betas: Float64Array): Float64Array {
  let product = 1;
  return betas.map((beta) => (product *= 1 - beta));
}

/**
 * ᾱ whose signal-to-noise ratio ends at exactly 0: √ᾱ shifted and scaled so that its first value stays and its last is 0
 * (Lin et al., "Common diffusion noise schedules and sample steps are flawed", algorithm 1).
 */
function withZeroTerminalSnr(alphasCumprod: Float64Array): Float64Array {
  const first = Math.sqrt(alphasCumprod[0]!);
  const last = Math.sqrt(alphasCumprod.at(-1)!);
  return alphasCumprod.map((a) => (((Math.sqrt(a) - last) * first) / (first - last)) ** 2);
}

/** `count` numbers from `start` to `end`, both included; only `start` if one is asked for. */
export const linspace = (start: number, end: number, count: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) =>
    i > 0 && i === count - 1 ? end : start + (count > 1 ? (i * (end - start)) / (count - 1) : 0),
  );

/** The parts of a schedule that training needs. */
export type TrainingSchedule = Pick<NoiseSchedule, 'predictionType' | 'alphasCumprod'>;

/** √ᾱ and √(1 − ᾱ): how much of the picture and of the noise there is at a timestep. */
export function scales(
  { alphasCumprod }: TrainingSchedule,
  timestep: number,
): [signal: number, noise: number] {
  const alpha = alphasCumprod[timestep]!;
  return [Math.sqrt(alpha), Math.sqrt(1 - alpha)];
}

/** xₜ = √ᾱₜ·x₀ + √(1 − ᾱₜ)·ε, in float64 before it is rounded (Ho et al., 2020, equation 4). */
export function addNoise(
  schedule: TrainingSchedule,
  sample: ArrayLike<number>,
  noise: ArrayLike<number>,
  timestep: number,
): Float32Array {
  const [a, b] = scales(schedule, timestep);
  return Float32Array.from(sample, (x, i) => a * x + b * noise[i]!);
}

/** v = √ᾱₜ·ε − √(1 − ᾱₜ)·x₀ (Salimans and Ho, "Progressive distillation", 2022, appendix D). */
export function velocity(
  schedule: TrainingSchedule,
  sample: ArrayLike<number>,
  noise: ArrayLike<number>,
  timestep: number,
): Float32Array {
  const [a, b] = scales(schedule, timestep);
  return Float32Array.from(sample, (x, i) => a * noise[i]! - b * x);
}

/** The target that the model is trained to predict. */
export const target = (
  schedule: TrainingSchedule,
  sample: ArrayLike<number>,
  noise: ArrayLike<number>,
  timestep: number,
): Float32Array =>
  schedule.predictionType === 'epsilon'
    ? Float32Array.from(noise)
    : velocity(schedule, sample, noise, timestep);

/** ᾱₜ / (1 − ᾱₜ) */
function signalToNoise({ alphasCumprod }: TrainingSchedule, timestep: number): number {
  const alpha = alphasCumprod[timestep]!;
  return alpha / (1 - alpha);
}

/**
 * The weight of a timestep's loss: min(SNR, γ) / SNR for ε, and min(SNR, γ) / (SNR + 1) for v (Hang et al., "Efficient
 * diffusion training via min-SNR weighting strategy", 2023, section 3.4).
 */
export function minSnrWeight(schedule: TrainingSchedule, timestep: number, gamma: number): number {
  const snr = signalToNoise(schedule, timestep);
  return Math.min(snr, gamma) / (schedule.predictionType === 'epsilon' ? snr : snr + 1);
}
