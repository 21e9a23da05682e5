import { AuroraError } from '../../base/errors';
import type { Scheduler } from './scheduler';
import type { Entry } from './submitted-trials';

/**
 * Another cluster knows none of the jobs, which would then count as lost, and be submitted and trained twice.
 *
 * @param live submissions that may have jobs which wait or run
 * @returns false if there are none, and any cluster will do
 * @throws AuroraError 'usage' if the settings mean another one than when they were submitted
 */
export async function requireSameCluster(scheduler: Scheduler, live: readonly Entry[]): Promise<boolean> {
  const places = live.flatMap(({ submission }) => submission.cluster ?? []);
  if (places.length === 0) return false;
  const now = await scheduler.cluster();
  const other = places.find(({ name }) => name !== now.name);
  if (!other) return true;
  throw new AuroraError(
    'usage',
    `Trials of this sweep wait or run on ${other.name}, and the settings now mean ${now.name}.`,
    'Restore the cluster section (host, folder, context, namespace) and let them end, or cancel them with --cancel all; then change it.',
  );
}
