import { AuroraError } from '../../base/errors';
import { linspace } from './betas';
import type { SchedulerConfig, Spacing } from './scheduler-config';

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
