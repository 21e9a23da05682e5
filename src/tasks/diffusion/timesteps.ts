import { AuroraError } from '../../base/errors';
import { power, realPower } from '../../base/power';
import { linspace, type NoiseSchedule } from './noise-schedule';
import { type SchedulerConfig, type Spacing, SPACINGS } from './scheduler-config';

/**
 * The timesteps of a sampler in descending order, as diffusers' schedulers spread them: `linspace` from first to last, with
 * fractions; `leading` every so many from `steps_offset`; `trailing` every so many down from the last.
 *
 * @param training the number of timesteps in training
 * @throws AuroraError 'usage' if there are more steps than that
 */
export function spacedTimesteps(
  config: SchedulerConfig,
  spacing: Spacing,
  steps: number,
  training: number,
): number[] {
  const offset = spacing === 'leading' ? config.integer('steps_offset', 0, 0, training - 1) : 0;
  const ratio = Math.floor(training / steps);
  if (steps < 1 || steps > training || (steps - 1) * ratio + offset >= training)
    throw new AuroraError(
      'usage',
      `A picture cannot be drawn in ${steps} steps: the model has ${training} timesteps${offset > 0 ? `, and steps_offset is ${offset}` : ''}.`,
      `Take 1 to ${Math.floor(training / 2)} steps; 20 to 50 are usual.`,
    );
  const indices = Array.from({ length: steps }, (_, i) => i);
  switch (spacing) {
    case 'linspace':
      return [...linspace(0, training - 1, steps)].reverse();
    case 'leading':
      return indices.map((i) => i * ratio + offset).reverse();
    case 'trailing':
      // The stride as NumPy's arange computes it: its last bit decides which way a half is rounded.
      return indices.map((i) => roundHalfEven(training + i * (training - training / steps - training)) - 1);
  }
}

/** Rounds as NumPy does. */
export function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  return rest < 0.5 || (rest === 0.5 && down % 2 === 0) ? down : down + 1;
}

/** The smallest ᾱ, so that σ is finite where a schedule ends at 0: the smallest number of float16, as in diffusers. */
const LEAST_ALPHA = 2 ** -24;

/** The curvature of the noise levels of Karras et al. ("Elucidating the design space", 2022, equation 5). */
const RHO = 7;

export interface Sigmas {
  /** The standard deviation of the noise before each step, descending, and after the last one. */
  sigmas: number[];
  /** The timestep of each step; fractions between those of training. */
  timesteps: number[];
  /** The standard deviation of the noise that a picture starts from. */
  initial: number;
}

/** The noise levels σ = √((1 − ᾱ) / ᾱ) of a sampler's steps, as in diffusers' EulerDiscreteScheduler. */
export function sampleSigmas({ alphasCumprod, config }: NoiseSchedule, steps: number): Sigmas {
  config.require('interpolation_type', 'linear');
  config.require('timestep_type', 'discrete');
  config.require('use_exponential_sigmas', false);
  config.require('use_beta_sigmas', false);
  const all = alphasCumprod.map((alpha) => Math.sqrt(1 / Math.max(alpha, LEAST_ALPHA) - 1));
  const spacing = config.choice('timestep_spacing', SPACINGS, 'linspace');
  let timesteps = spacedTimesteps(config, spacing, steps, all.length);
  let sigmas = timesteps.map((t) => interpolate(all, t));
  if (config.flag('use_karras_sigmas', false)) {
    sigmas = karras(config, sigmas);
    timesteps = sigmas.map((sigma) => timestepOf(sigma, all));
  }
  const end = config.choice('final_sigmas_type', ['zero', 'sigma_min'], 'zero');
  const [most] = sigmas;
  return {
    sigmas: [...sigmas, end === 'zero' ? 0 : all[0]!],
    timesteps,
    initial: spacing === 'leading' ? Math.sqrt(most! ** 2 + 1) : most!,
  };
}

const root = (sigma: number): number => realPower(sigma, 1 / RHO);

function karras(config: SchedulerConfig, sigmas: readonly number[]): number[] {
  const most = root(config.positive('sigma_max') ?? sigmas[0]!);
  const least = root(config.positive('sigma_min') ?? sigmas.at(-1)!);
  return [...linspace(0, 1, sigmas.length)].map((ramp) => power(most + ramp * (least - most), RHO));
}

function interpolate(values: Float64Array, at: number): number {
  const low = Math.min(Math.floor(at), values.length - 1);
  const high = Math.min(low + 1, values.length - 1);
  return values[low]! + (at - low) * (values[high]! - values[low]!);
}

/** The timestep at which training has this noise, interpolated in ln σ. */
function timestepOf(sigma: number, all: Float64Array): number {
  const above = all.findIndex((s) => s > sigma);
  const low = Math.min(Math.max((above < 0 ? all.length : above) - 1, 0), all.length - 2);
  const [from, to] = [Math.log(all[low]!), Math.log(all[low + 1]!)];
  return low + Math.min(Math.max((Math.log(sigma) - from) / (to - from), 0), 1);
}
