import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { AuroraError } from '../base/errors';
import { writeAtomic } from '../files/atomic';
import { ownerFile, type OwnerRecord } from '../files/fence';
import { claim, type Owner, ownerText, schedulerJob } from '../files/owner';
import { temporaryBeside } from '../files/temporary';
import { runPaths } from '../runs/layout';
import { HEARTBEAT_TIMEOUT_MS, ownerByStatus, ownerOfRun } from '../runs/status';
import { requestCancel } from '../runs/sweep/cancel';
import type { TrialRecord } from '../runs/sweep/record';

/** The default time for which a client of NFS may show a folder as it was (acdirmax), in ms. */
const CACHED_MS = 60_000;
/** An owner without a sign of life for this long has ended, or is cut off from the disk. */
const SILENT_MS = HEARTBEAT_TIMEOUT_MS + CACHED_MS;
const LOOK_MS = 1000;

export interface SilenceOptions {
  silentMs?: number;
  lookMs?: number;
}

/**
 * Makes this process the owner of a trial's run. The scheduler decides who may run: an owner that this machine cannot see is
 * replaced if the scheduler has restarted its job, or if it was another job of a scheduler and gives no sign of life.
 *
 * @throws AuroraError 'owned' if another process owns the run and has not ended, as far as can be known
 */
export async function claimTrial(run: string, options: SilenceOptions = {}): Promise<Owner> {
  const job = schedulerJob(process.env);
  const got = await claim(run, {
    earlier: ownerByStatus(run),
    takeOver: async (owner) =>
      job !== undefined && owner.job !== undefined && owner.job.id !== job.id && isSilent(run, options),
  });
  if ('owner' in got) return got.owner;
  throw refusal(run, got.heldBy, got.as);
}

const refusal = (run: string, owner: OwnerRecord, as: 'alive' | 'unseen'): AuroraError =>
  new AuroraError(
    'owned',
    `${run} is owned by ${ownerText(owner)}${owner.job ? ` (job ${owner.job.id})` : ''}, ${as === 'alive' ? 'which is training it' : 'which may be training it'}.`,
    as === 'alive'
      ? 'Nothing was changed: the trial is trained there.'
      : `Nothing was changed. If that process has ended, take the run over once with \`aurora train --resume RUN --take-over\`.`,
  );

/**
 * Waits until the owner's heartbeat has not moved for long enough, or has. Only times that the disk's own clock has written are
 * compared with each other: clocks of nodes differ.
 */
export async function isSilent(
  run: string,
  { silentMs = SILENT_MS, lookMs = LOOK_MS }: SilenceOptions = {},
): Promise<boolean> {
  const first = lastSign(run);
  for (;;) {
    const sign = lastSign(run);
    if (sign !== first) return false;
    if (diskNow(run) - sign > silentMs) return true;
    await wait(lookMs);
  }
}

/** The time when the owner last wrote its status, or became the owner, by the disk's clock in ms. */
const lastSign = (run: string): number =>
  Math.max(
    ...[runPaths(run).status, ownerFile(run)].map(
      (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0,
    ),
  );

function diskNow(run: string): number {
  const path = temporaryBeside(ownerFile(run));
  try {
    writeFileSync(path, '');
    return statSync(path).mtimeMs;
  } finally {
    rmSync(path, { force: true });
  }
}

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
