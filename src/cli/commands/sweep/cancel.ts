import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { AuroraError, EXIT } from '../../../base/errors';
import type { Executor } from '../../../executors/executor';
import { writeAtomic } from '../../../files/atomic';
import { runPaths } from '../../../runs/layout';
import { ownerOfRun } from '../../../runs/status';
import { requestCancel } from '../../../runs/sweep/cancel';
import { isBusy } from '../../../runs/sweep/look';
import type { TrialRecord } from '../../../runs/sweep/record';
import { isSilent } from '../../../trainer/sweep/claim-trial';

/**
 * The trials that `--cancel` names.
 *
 * @throws AuroraError 'usage' for anything but `all` or numbers of trials
 */
export function cancelled(given: string, trials: readonly TrialRecord[]): readonly TrialRecord[] | 'all' {
  if (given === 'all') return 'all';
  const numbers = new Set(given.split(',').map((text) => (/^\s*\d+\s*$/.test(text) ? Number(text) : NaN)));
  const named = trials.filter((t) => numbers.has(t.number));
  if (named.length === numbers.size) return named;
  throw new AuroraError(
    'usage',
    `--cancel takes "all", or numbers of trials with commas in between, not "${given}".`,
    trials.length > 0
      ? `The trials of this sweep are 1 to ${Math.max(...trials.map((t) => t.number))}.`
      : undefined,
  );
}

/**
 * Leaves the request to the process that runs the sweep.
 *
 * @returns whether there is one
 */
export async function askQueue(folder: string, which: readonly TrialRecord[] | 'all'): Promise<boolean> {
  const held = await ownerOfRun(folder);
  // One on another machine that has ended would never read it.
  if (!held || (held.as === 'unseen' && (await isSilent(folder)))) return false;
  if (which === 'all') writeAtomic(join(runPaths(folder).control, 'stop'), '', folder);
  else
    requestCancel(
      folder,
      which.map((t) => t.number),
    );
  return true;
}

/** Cancels trials that no queue follows, and waits until they have ended. */
export async function cancelNow(
  executor: Executor,
  trials: readonly TrialRecord[],
  which: readonly TrialRecord[] | 'all',
  interrupted: () => boolean,
): Promise<number> {
  const isAsked = ({ id }: TrialRecord) => which === 'all' || which.some((t) => t.id === id);
  for (let first = true; ; first = false) {
    const busy = (await executor.follow(trials)).filter((t) => isAsked(t.record) && isBusy(t));
    if (first) process.stderr.write(`${countText(busy.length)}\n`);
    if (busy.length === 0) return EXIT.ok;
    if (interrupted()) return EXIT.stopped;
    await executor.cancel(busy);
    await wait(Math.min(executor.interval, 1000));
  }
}

const countText = (busy: number): string =>
  busy === 0
    ? 'None of these trials is queued or running.'
    : `Cancelling ${busy === 1 ? '1 trial' : `${busy} trials`}: those that run save first. Ctrl-C leaves them to it.`;
