import { byName, sortOf, sortRuns } from '../runs/run-sort';
import type { RunEntry } from '../runs/store';
import type { Services } from '../services';
import { bySweep } from '../words/sweep-row';

/** Every known run in the order of the Experiments view; runs outside the open folders come last. */
export async function runsInTreeOrder({
  store,
  context,
}: Pick<Services, 'store' | 'context'>): Promise<RunEntry[]> {
  const sort = sortOf(context.workspaceState);
  const experiments = [...(await store.experiments())].sort(byName);
  const placed = experiments.flatMap(({ sweeps, runs }) => {
    const { groups, others } = bySweep(sweeps, sortRuns(runs, sort));
    return [...groups.flatMap((g) => g.runs), ...others];
  });
  const shown = new Set(placed.map((r) => r.folder));
  return [...placed, ...(await store.runs()).filter((r) => !shown.has(r.folder))];
}
