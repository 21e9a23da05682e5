import type { NoiseSchedule } from './noise-schedule';
import type { Sampler } from './sampler';
import { SPACINGS } from './scheduler-config';
import { roundHalfEven, spacedTimesteps } from './timesteps';

/**
 * DDIM without noise in between (Song et al., "Denoising diffusion implicit models", equation 12 with σ = 0), with the
 * timesteps and the settings of diffusers' DDIMScheduler.
 */
export function ddim(schedule: NoiseSchedule, steps: number, noise: ArrayLike<number>): Sampler {
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
