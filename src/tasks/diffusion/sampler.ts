import type { SamplerName } from '../../experiment/pictures';
import type { NoiseSchedule } from './noise-schedule';
import { SPACINGS } from './scheduler-config';
import { roundHalfEven, sampleSigmas, spacedTimesteps } from './timesteps';

/** Both are deterministic: a picture depends on its noise alone. */
const SAMPLERS: Record<
  SamplerName,
  (schedule: NoiseSchedule, steps: number, noise: ArrayLike<number>) => Sampler
> = { ddim, euler };

/** Draws one picture, a prediction at a time: take `next`, predict from it, give the prediction to `step`. */
interface Sampler {
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

/**
 * DDIM without noise in between (Song et al., "Denoising diffusion implicit models", equation 12 with σ = 0), with the
 * timesteps and the settings of diffusers' DDIMScheduler.
 */
function ddim(schedule: NoiseSchedule, steps: number, noise: ArrayLike<number>): Sampler {
  const { alphasCumprod, config, predictionType } = schedule;
  config.require('thresholding', false);
  const training = alphasCumprod.length;
  const timesteps = spacedTimesteps(
    config,
    config.choice('timestep_spacing', SPACINGS, 'leading'),
    steps,
    training,
  ).map(roundHalfEven);
  const most = config.flag('clip_sample', true) ? (config.positive('clip_sample_range') ?? 1) : Infinity;
  const stride = Math.floor(training / steps);
  const last = config.flag('set_alpha_to_one', true) ? 1 : alphasCumprod[0]!;
  const latents = Float64Array.from(noise);
  let at = 0;
  return {
    steps,
    latents,
    next: () =>
      at < steps ? { index: at, input: Float32Array.from(latents), timestep: timesteps[at]! } : undefined,
    step(prediction) {
      const t = timesteps[at++]!;
      const alpha = alphasCumprod[t]!;
      const [a, b] = [Math.sqrt(alpha), Math.sqrt(1 - alpha)];
      const before = t - stride;
      const alphaBefore = before >= 0 ? alphasCumprod[before]! : last;
      const [aBefore, bBefore] = [Math.sqrt(alphaBefore), Math.sqrt(1 - alphaBefore)];
      latents.forEach((x, i) => {
        const p = prediction[i]!;
        const [start, epsilon] =
          predictionType === 'epsilon' ? [(x - b * p) / a, p] : [a * x - b * p, a * p + b * x];
        latents[i] = aBefore * Math.min(Math.max(start, -most), most) + bBefore * epsilon;
      });
    },
  };
}

/**
 * Euler's method on dx/dσ = (x − x₀(x, σ)) / σ (Karras et al., "Elucidating the design space of diffusion-based generative
 * models", algorithm 1 without the second-order correction), with the noise levels of diffusers' EulerDiscreteScheduler.
 * The latents are x₀ + σ·ε; the model reads them divided by √(σ² + 1), which is the scale of training.
 */
function euler(schedule: NoiseSchedule, steps: number, noise: ArrayLike<number>): Sampler {
  const { sigmas, timesteps, initial } = sampleSigmas(schedule, steps);
  const latents = Float64Array.from(noise, (x) => x * initial);
  let at = 0;
  return {
    steps,
    latents,
    next() {
      if (at === steps) return undefined;
      const scale = Math.sqrt(sigmas[at]! ** 2 + 1);
      return { index: at, input: Float32Array.from(latents, (x) => x / scale), timestep: timesteps[at]! };
    },
    step(prediction) {
      const sigma = sigmas[at++]!;
      const change = sigmas[at]! - sigma;
      const square = sigma ** 2 + 1;
      const root = Math.sqrt(square);
      latents.forEach((x, i) => {
        const p = prediction[i]!;
        const start = schedule.predictionType === 'epsilon' ? x - sigma * p : x / square - (p * sigma) / root;
        latents[i] = x + ((x - start) / sigma) * change;
      });
    },
  };
}
