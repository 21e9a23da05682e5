import { bestEvaluation, runLabel } from '../runs/label';
import type { RunEntry } from '../runs/store';
import { headline, metricOf } from './run-row';

export const SORTS = ['newest', 'metric', 'name'] as const;
export type Sort = (typeof SORTS)[number];

/** Runs in the order of the tree: starred ones first, then as sorted; equal ones stay newest first. */
export function sortRuns(runs: readonly RunEntry[], sort: Sort): RunEntry[] {
  const order = ORDERS[sort];
  return [...runs].sort(
    (a, b) => Number(b.user.star ?? false) - Number(a.user.star ?? false) || order(a, b) || newest(a, b),
  );
}

const newest = (a: RunEntry, b: RunEntry): number => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);

const ORDERS: Record<Sort, (a: RunEntry, b: RunEntry) => number> = {
  newest,
  metric: (a, b) => compareScores(score(a), score(b)),
  name: (a, b) => runLabel(a).localeCompare(runLabel(b), undefined, { numeric: true, sensitivity: 'base' }),
};

/** Larger is better; undefined where nothing was measured. */
function score({ run }: RunEntry): number | undefined {
  const best = run && bestEvaluation(run);
  if (!best) return undefined;
  const metric = metricOf(run);
  const value = best.metrics[metric];
  return metric === 'loss' ? -value : value;
}

/** What was not measured, or diverged, comes last. */
function compareScores(a: number | undefined, b: number | undefined): number {
  const [x, y] = [a, b].map((v) => (v === undefined || Number.isNaN(v) ? -Infinity : v));
  return x === y ? 0 : y - x;
}

/**
 * Whether a run matches a filter: every word of it occurs in the run's name, id, note, state, method,
 * metric or experiment's name. An empty filter matches all.
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
