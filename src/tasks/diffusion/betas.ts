/** The schedules of noise variances β over the timesteps, with the names of diffusers' schedulers. */
export const BETA_SCHEDULES = ['linear', 'scaled_linear', 'squaredcos_cap_v2'] as const;
export type BetaSchedule = (typeof BETA_SCHEDULES)[number];

/** The largest β of the cosine schedule: Nichol and Dhariwal, "Improved denoising diffusion probabilistic models" (2021). */
const MOST_BETA = 0.999;

/** @returns `steps` values of β, from 0 to 1 */
export function makeBetas(schedule: BetaSchedule, start: number, end: number, steps: number): Float64Array {
  if (schedule === 'linear') return linspace(start, end, steps);
  if (schedule === 'scaled_linear')
    return linspace(Math.sqrt(start), Math.sqrt(end), steps).map((b) => b * b);
  const alphaBar = (t: number) => Math.cos((((t + 0.008) / 1.008) * Math.PI) / 2) ** 2;
  return Float64Array.from({ length: steps }, (_, i) =>
    Math.min(1 - alphaBar((i + 1) / steps) / alphaBar(i / steps), MOST_BETA),
  );
}

/** ᾱ of each timestep: the product of 1 − β up to it. */
export function cumulativeAlphas(betas: Float64Array): Float64Array {
  let product = 1;
  return betas.map((beta) => (product *= 1 - beta));
}

/**
 * ᾱ whose signal-to-noise ratio ends at exactly 0: √ᾱ shifted and scaled so that its first value stays and its last is 0
 * (Lin et al., "Common diffusion noise schedules and sample steps are flawed", algorithm 1).
 */
export function withZeroTerminalSnr(alphasCumprod: Float64Array): Float64Array {
  const first = Math.sqrt(alphasCumprod[0]!);
  const last = Math.sqrt(alphasCumprod.at(-1)!);
  return alphasCumprod.map((a) => (((Math.sqrt(a) - last) * first) / (first - last)) ** 2);
}

/** `count` numbers from `start` to `end`, both included; only `start` if one is asked for. */
export const linspace = (start: number, end: number, count: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) =>
    i > 0 && i === count - 1 ? end : start + (count > 1 ? (i * (end - start)) / (count - 1) : 0),
  );
