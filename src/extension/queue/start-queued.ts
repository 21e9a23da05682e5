import { sweepOf } from '../../runs/experiment/load';
import { readChecked, requireUsable } from '../ask/checked-experiment';
import type { Services } from '../services';
import type { QueuedRun } from './run-queue';
import { startFork, startResume } from './start-again';
import { startRun } from './start-run';
import { startSweep } from './start-sweep';

/**
 * Starts an item that has waited. Resolves once it is listed as running.
 *
 * @param attended true if the user is there to be asked; otherwise, a question is an error
 * @returns false if the user declined
 */
export async function startQueued(services: Services, item: QueuedRun, attended: boolean): Promise<boolean> {
  const { name } = item.spec;
  switch (item.kind) {
    case 'run':
      return Boolean(await startRun(services, item));
    case 'resume':
      return startResume(services, item.run, name, attended);
    case 'fork':
      return Boolean(await startFork(services, item, name, attended));
    case 'sweep': {
      const asks = { decided: item.decided, attended };
      const sweep = sweepOf(await requireUsable(await readChecked(item.file)));
      return startSweep(services, item.file, sweep, asks);
    }
  }
}
