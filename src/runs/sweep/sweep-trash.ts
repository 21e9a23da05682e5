import { existsSync } from 'node:fs';
import { readdir, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { writeAtomic } from '../../files/atomic';
import { isEntryName } from '../../files/contained';
import { readJsonIfThere } from '../../files/json';
import { homeOf, moveRun, restoreRuns, trashRuns } from '../trash';

/**
 * A deleted sweep is in `.aurora/trash/sweeps/<experiment>/<id>/<ms since 1970>`: its id is a hash of the experiment, so
 * a sweep of the same id may be deleted again. Its trials are in the trash like any run.
 */
export interface TrashedSweep {
  /** Its current path. */
  folder: string;
  /** Its original path. */
  from: string;
  /** Milliseconds since 1970. */
  deletedAt: number;
  /** The paths in the trash of the trials that were deleted with it. */
  trials: string[];
}

/** Beside sweep.json in the trash: the names of the runs that were deleted with it. */
const DELETED = 'deleted.json';

/**
 * Moves a sweep that is not running, and then the runs of its trials, to the trash. In this order, since a sweep without
 * some of its trials would train them again: if this is interrupted, the runs that are left are ordinary ones.
 *
 * @param runs the folders of its trials' runs
 * @returns also the errors of runs that could not be moved
 * @throws AuroraError 'disk' if the sweep itself could not be moved; then nothing was
 */
export async function trashSweep(
  sweep: string,
  runs: readonly string[],
  now = Date.now(),
): Promise<{ trashed: TrashedSweep; failed: unknown[] }> {
  const names = runs.map((r) => basename(r));
  writeAtomic(join(sweep, DELETED), `${JSON.stringify({ runs: names })}\n`, sweep);
  const experiment = basename(dirname(sweep));
  const folder = join(homeOf(sweep), 'trash', 'sweeps', experiment, basename(sweep), String(now));
  await moveRun(sweep, folder);
  const { trashed, failed } = await trashRuns(runs, now);
  return { trashed: { folder, from: sweep, deletedAt: now, trials: trashed.map((t) => t.folder) }, failed };
}

/**
 * Moves the trials back, then their sweep, which must not be there without them. Trials that are no longer in the trash
 * were restored or removed before.
 *
 * @throws AuroraError 'run' if a sweep of the same experiment, or a folder of a trial's name, exists again
 */
export async function restoreSweep({ folder, from, trials }: TrashedSweep): Promise<string> {
  if (existsSync(from))
    throw new AuroraError(
      'run',
      `The sweep ${from} cannot be restored: the experiment has been swept again.`,
      'Delete the newer sweep first; it can be restored, too.',
    );
  const runs = join(homeOf(from), 'runs', basename(dirname(from)));
  const there = trials.filter((trial) => existsSync(trial));
  await restoreRuns(there.map((trial) => ({ folder: trial, from: join(runs, basename(trial)) })));
  await moveRun(folder, from);
  // The folder of its id, unless it was deleted more than once.
  await rmdir(dirname(folder)).catch(() => undefined);
  return from;
}

/** The sweeps in a trash folder (`trashOf`), last deleted first; empty if there is none. */
export async function listTrashedSweeps(trash: string): Promise<TrashedSweep[]> {
  const found: TrashedSweep[] = [];
  for (const experiment of await names(join(trash, 'sweeps')))
    for (const id of await names(join(trash, 'sweeps', experiment)))
      for (const at of await names(join(trash, 'sweeps', experiment, id))) {
        const folder = join(trash, 'sweeps', experiment, id, at);
        const trials = deletedWith(folder)
          .map((run) => join(trash, 'runs', experiment, run))
          .filter((run) => existsSync(run));
        const from = join(dirname(trash), 'sweeps', experiment, id);
        found.push({ folder, from, deletedAt: Number(at), trials });
      }
  return found.sort((a, b) => b.deletedAt - a.deletedAt);
}

function deletedWith(folder: string): string[] {
  try {
    const { runs } = (readJsonIfThere(join(folder, DELETED)) ?? {}) as { runs?: unknown };
    return Array.isArray(runs) ? runs.filter(isEntryName) : [];
  } catch {
    // Its trials can be restored one by one.
    return [];
  }
}

async function names(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((e) => e.isDirectory()).map((e) => e.name);
  } catch {
    return [];
  }
}
