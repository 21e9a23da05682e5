import { AuroraError } from '../base/errors';
import { capital } from '../base/text';
import { executorName } from '../experiment/cluster';
import { readCluster } from '../runs/sweep/cluster-file';
import { runOf, type TrialRecord } from '../runs/sweep/record';
import { TrialNames } from '../runs/sweep/trial-names';
import { trialsText } from './causes';
import type { Where } from './where';

export interface Checkpoints {
  /** The sweep's folder. */
  folder: string;
  /** The folder of the experiment's runs. */
  runs: string;
  trials: readonly TrialRecord[];
  where: Where;
  /** The option's value. */
  given: string;
}

/**
 * Copies checkpoints here, of trials that have ended on a cluster that shares no folder. Nothing else of the sweep is
 * touched, so another process may follow it.
 *
 * @returns the number of trials
 * @throws AuroraError 'usage' if there is nothing to copy, or a named trial has not ended
 */
export async function bringCheckpoints({ folder, runs, trials, where, given }: Checkpoints): Promise<number> {
  const names = new TrialNames(runs);
  const named = namedTrials('checkpoints', given, trials, names);
  if (where.on === 'local' || !where.cluster.files.collectCheckpoints)
    throw new AuroraError(
      'usage',
      where.on === 'local'
        ? 'This sweep was trained on this machine: its checkpoints are in its run folders.'
        : `This folder is shared with ${executorName(where.on)}: the checkpoints are in the run folders.`,
    );
  const ended = endedThere(folder, named === 'all' ? trials : named);
  const early = named === 'all' ? [] : named.filter((trial) => !ended.includes(trial));
  if (early.length > 0 || ended.length === 0)
    throw new AuroraError(
      'usage',
      early.length === 0
        ? 'No trial of this sweep has ended and been brought here yet.'
        : `${capital(trialsText(early, names))} ${early.length === 1 ? 'has' : 'have'} not ended and been brought here yet.`,
      'Continue the sweep first: it brings the runs that have ended.',
    );
  await where.cluster.files.collectCheckpoints(ended.map((trial) => runOf(trial, runs)!));
  return ended.length;
}

/** The trials that have ended on a cluster and been brought here, perhaps without their checkpoints. */
export function endedThere(folder: string, trials: readonly TrialRecord[]): TrialRecord[] {
  const known = readCluster(folder)?.trials ?? {};
  return trials.filter(({ id }) => known[id]?.collected);
}

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
