import type { NoiseSchedule } from './noise-schedule';

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
export function signalToNoise({ alphasCumprod }: TrainingSchedule, timestep: number): number {
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
