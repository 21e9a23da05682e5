import { bestFirst, metricValue, score } from '../../experiment/metrics';
import { hasDiverged } from '../../runs/outcome';
import { bestEvaluation, runLabel } from '../runs/label';
import type { RunEntry } from '../runs/store';
import { headline, metricOf } from '../words/run-row';

export const SORTS = ['newest', 'metric', 'name'] as const;
export type Sort = (typeof SORTS)[number];

/** Runs in tree order: starred ones first, then as sorted; equal ones newest first. */
export function sortRuns(runs: readonly RunEntry[], sort: Sort): RunEntry[] {
  const order = ORDERS[sort];
  return [...runs].sort(
    (a, b) => Number(b.user.star ?? false) - Number(a.user.star ?? false) || order(a, b) || newest(a, b),
  );
}

const newest = (a: RunEntry, b: RunEntry): number => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);

const ORDERS: Record<Sort, (a: RunEntry, b: RunEntry) => number> = {
  newest,
  metric: (a, b) => bestFirst(scoreOf(a), scoreOf(b)),
  name: (a, b) => runLabel(a).localeCompare(runLabel(b), undefined, { numeric: true, sensitivity: 'base' }),
};

/** Larger is better; runs that were not measured or diverged come last. */
function scoreOf({ run }: RunEntry): number {
  const best = run && bestEvaluation(run);
  if (!best || hasDiverged(run)) return -Infinity;
  const metric = metricOf(run);
  return score(metric, metricValue(best.metrics, metric));
}

/**
 * Whether a run matches a filter: each of its words occurs in the run's name, id, note, state, method, metric or
 * experiment's name. An empty filter matches everything.
 */
export function matchesFilter(entry: RunEntry, experiment: string, filter: string): boolean {
  const text = [
    runLabel(entry),
    entry.id,
    entry.user.note ?? '',
    entry.user.star ? 'starred' : '',
    entry.state,
    entry.run?.spec.adapter.method ?? '',
    headline(entry) ?? '',
    experiment,
  ]
    .join('\n')
    .toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
