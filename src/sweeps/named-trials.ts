import { AuroraError } from '../base/errors';
import type { TrialRecord } from '../runs/sweep/record';
import type { TrialNames } from '../runs/sweep/trial-names';

/**
 * The trials that an option names.
 *
 * @param given `all`, or numbers of trials (`3`) and of their runs (`#12`)
 * @throws AuroraError 'usage' for anything else, or if a trial or run is missing
 */
export function namedTrials(
  option: 'cancel' | 'checkpoints',
  given: string,
  trials: readonly TrialRecord[],
  names: TrialNames,
): readonly TrialRecord[] | 'all' {
  if (given === 'all') return 'all';
  const wanted = given.split(',').map((text) => /^\s*(#?)(\d+)\s*$/.exec(text));
  const found = wanted.map((match) => {
    if (!match) return undefined;
    const number = Number(match[2]);
    return trials.find((t) => (match[1] === '#' ? names.number(t) : t.number) === number);
  });
  const named = found.filter((trial) => trial !== undefined);
  if (named.length === found.length) return [...new Set(named)];
  throw new AuroraError(
    'usage',
    `--${option} takes "all", or numbers of trials (3) or of their runs (#12) with commas in between, not "${given}".`,
    trials.length > 0
      ? `The trials of this sweep are 1 to ${Math.max(...trials.map((t) => t.number))}.`
      : undefined,
  );
}
