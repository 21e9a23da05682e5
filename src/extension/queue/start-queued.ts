import { checkedSweep } from '../ask/training-problems';
import type { Services } from '../services';
import type { QueuedRun } from './run-queue';
import { startFork, startResume } from './start-again';
import { startRun } from './start-run';
import { startSweep } from './start-sweep';

/** Starts what has waited. Resolves once it is listed as running, or if the user declined. */
export async function startQueued(services: Services, item: QueuedRun): Promise<void> {
  const { name } = item.spec;
  switch (item.kind) {
    case 'run':
      return void (await startRun(services, item));
    case 'resume':
      return void (await startResume(services, item.run, name));
    case 'fork':
      return void (await startFork(services, item, name));
    case 'sweep':
      return void (await startSweep(services, item.file, await checkedSweep(item.file)));
  }
}
