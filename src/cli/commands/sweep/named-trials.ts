import { AuroraError } from '../../../base/errors';
import type { TrialRecord } from '../../../runs/sweep/record';

/**
 * The trials that an option names.
 *
 * @throws AuroraError 'usage' for anything but `all` or numbers of trials
 */
export function namedTrials(
  option: 'cancel' | 'checkpoints',
  given: string,
  trials: readonly TrialRecord[],
): readonly TrialRecord[] | 'all' {
  if (given === 'all') return 'all';
  const numbers = new Set(given.split(',').map((text) => (/^\s*\d+\s*$/.test(text) ? Number(text) : NaN)));
  const named = trials.filter((t) => numbers.has(t.number));
  if (named.length === numbers.size) return named;
  throw new AuroraError(
    'usage',
    `--${option} takes "all", or numbers of trials with commas in between, not "${given}".`,
    trials.length > 0
      ? `The trials of this sweep are 1 to ${Math.max(...trials.map((t) => t.number))}.`
      : undefined,
  );
}
