import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomic } from '../../files/atomic';
import { runPaths } from '../../runs/layout';

/**
 * Leaves a request for a run's trainer, unless the run has no folder yet, or none any more. Another user of the folder may have
 * put a link in its place, through which nothing is written.
 */
export function requestIn(run: string, what: 'stop' | 'checkpoint'): void {
  const { control } = runPaths(run);
  if (isLink(run) || isLink(control)) return;
  try {
    writeAtomic(join(control, what), '', run);
  } catch (e) {
    // A trainer that starts clears the folder of earlier requests.
    if (((e as Error).cause as NodeJS.ErrnoException | undefined)?.code !== 'ENOENT') throw e;
  }
}

/** True if somebody has put a link there. */
export const isLink = (path: string): boolean =>
  lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
