import { join } from 'node:path';
import { writeAtomic } from '../../files/atomic';
import { runPaths } from '../../runs/layout';

/** Leaves a request for a run's trainer, unless the run has no folder yet, or none any more. */
export function requestIn(run: string, what: 'stop' | 'checkpoint'): void {
  try {
    writeAtomic(join(runPaths(run).control, what), '', run);
  } catch (e) {
    // A trainer that starts clears the folder of earlier requests.
    if (((e as Error).cause as NodeJS.ErrnoException | undefined)?.code !== 'ENOENT') throw e;
  }
}
