import { join } from 'node:path';
import { writeAtomic } from '../files/atomic';
import { runPaths } from '../runs/layout';
import { ownerOfRun } from '../runs/status';
import { requestCancel } from '../runs/sweep/cancel';
import type { TrialRecord } from '../runs/sweep/record';
import { isSilent } from './claim-trial';

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
