import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { EXIT } from '../../../base/errors';
import type { Executor } from '../../../executors/executor';
import { writeAtomic } from '../../../files/atomic';
import { runPaths } from '../../../runs/layout';
import { ownerOfRun } from '../../../runs/status';
import { requestCancel } from '../../../runs/sweep/cancel';
import { isBusy } from '../../../runs/sweep/look';
import type { TrialRecord } from '../../../runs/sweep/record';
import { isSilent } from '../../../sweeps/claim-trial';

/**
 * Leaves the request to the process that runs the sweep.
 *
 * @returns true if a process runs it
 */
export async function askQueue(folder: string, which: readonly TrialRecord[] | 'all'): Promise<boolean> {
  const held = await ownerOfRun(folder);
  // A process on another machine that has ended would never read it.
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
    : `Canceling ${busy === 1 ? '1 trial' : `${busy} trials`}: those that run save first. Ctrl-C leaves them to it.`;
