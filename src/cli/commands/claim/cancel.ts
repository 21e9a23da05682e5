import { basename } from 'node:path';
import { AuroraError, EXIT } from '../../../base/errors';
import { claimSweepFolder } from '../../../runs/claim-folder';
import type { PlannedClaim } from '../../../runs/experiment/claim-trials';
import { readSweep } from '../../../runs/sweep/record';
import type { ParsedArgs } from '../../command';
import { cancelTrials } from '../sweep/cancel';
import { optionsOf } from '../sweep/trial-options';

/**
 * `aurora claim FILE --cancel`: cancels the trials of a claim that wait or run on a cluster. The claim can be continued.
 *
 * @param folder the claim's
 * @returns the exit code
 * @throws AuroraError 'usage' if no trial of it has begun on a cluster
 */
export async function cancelClaim(
  args: ParsedArgs,
  { file, experiment, cluster }: PlannedClaim,
  folder: string,
): Promise<number> {
  const begun = (['search', 'test'] as const).flatMap((phase) => {
    const sweep = claimSweepFolder(folder, phase);
    const record = readSweep(sweep);
    return record?.on === undefined ? [] : [{ sweep, record }];
  });
  if (begun.length === 0)
    throw new AuroraError(
      'usage',
      `No trial of the claim ${basename(folder)} has begun on a cluster.`,
      'There is nothing to cancel.',
    );
  let isDone = true;
  for (const { sweep: at, record } of begun) {
    const sweep = { spec: record.spec, base: experiment, baseHash: basename(at), trials: [], cluster };
    const request = { file, folder: at, sweep, dist: __dirname, options: optionsOf(args) };
    isDone = (await cancelTrials(args, request, record, 'all')) && isDone;
  }
  return isDone ? EXIT.ok : EXIT.stopped;
}
