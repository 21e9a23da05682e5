import type { NoiseSchedule } from './noise-schedule';
import type { Sampler } from './sampler';
import { sampleSigmas } from './sigmas';

/**
 * Euler's method on dx/dσ = (x − x₀(x, σ)) / σ (Karras et al., "Elucidating the design space of diffusion-based generative
 * models", algorithm 1 without the second-order correction), with the noise levels of diffusers' EulerDiscreteScheduler.
 * The latents are x₀ + σ·ε; the model reads them divided by √(σ² + 1), which is the scale of training.
 */
export function euler(schedule: NoiseSchedule, steps: number, noise: ArrayLike<number>): Sampler {
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
