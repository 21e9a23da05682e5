import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AuroraError, EXIT } from '../../../base/errors';
import { claimPaths, claimSweepFolder } from '../../../runs/claim-folder';
import type { PlannedClaim } from '../../../runs/experiment/claim-trials';
import { experimentClaims } from '../../../runs/layout';
import { readSweep } from '../../../runs/sweep/record';
import type { ParsedArgs } from '../../command';
import { cancelTrials } from '../sweep/cancel';
import { optionsOf } from '../sweep/trial-options';

/**
 * `aurora claim FILE --cancel`: cancels the trials of a claim that wait or run on a cluster. The claim can be continued.
 *
 * @param frozen the folder of the claim that the file makes now
 * @returns the exit code
 * @throws AuroraError 'usage' if no trial of it has begun on a cluster
 */
export async function cancelClaim(
  args: ParsedArgs,
  { file, experiment, cluster }: PlannedClaim,
  frozen: string,
): Promise<number> {
  const folder = claimToCancel(file, frozen, args.text('hash'));
  const begun = begunOnCluster(folder);
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

const begunOnCluster = (claim: string) =>
  (['search', 'test'] as const).flatMap((phase) => {
    const sweep = claimSweepFolder(claim, phase);
    const record = readSweep(sweep);
    return record?.on === undefined ? [] : [{ sweep, record }];
  });

/**
 * The claim of the file as it is or, if it was edited since, the one that an earlier version has begun on a cluster and that is
 * not closed.
 *
 * @param hash the beginning of the hash of one of them
 */
function claimToCancel(file: string, frozen: string, hash: string | undefined): string {
  if (hash === undefined && begunOnCluster(frozen).length > 0) return frozen;
  const claims = experimentClaims(file);
  const open = (existsSync(claims) ? readdirSync(claims) : [])
    .filter((name) => name.startsWith((hash ?? '').slice(0, name.length)))
    .map((name) => join(claims, name))
    .filter((claim) => begunOnCluster(claim).length > 0 && !existsSync(claimPaths(claim).certificate));
  if (open.length > 1)
    throw new AuroraError(
      'usage',
      `${file} was changed since its trials were submitted, and ${open.length} claims of earlier versions are open: ${open.map((claim) => basename(claim)).join(', ')}.`,
      'Choose one with --hash.',
    );
  return open[0] ?? (hash === undefined ? frozen : join(claims, hash.slice(0, 12)));
}
