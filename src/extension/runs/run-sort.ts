import { bestFirst, metricValue, score } from '../../experiment/metrics';
import { runLabel } from '../../runs/run-labels';
import { hasDiverged } from '../../runs/outcome';
import { bestEvaluation, metricOf } from './label';
import type { ExperimentEntry, RunEntry } from './store';

export const SORTS = ['newest', 'metric', 'name'] as const;
export type Sort = (typeof SORTS)[number];

/** workspaceState: the order that the user chose for the Experiments view. */
export const SORT = 'experiments.sort';

export const sortOf = (memory: { get<T>(key: string): T | undefined }): Sort =>
  SORTS.find((sort) => sort === memory.get(SORT)) ?? 'newest';

/** Experiments in tree order: those whose file exists first, by name. */
export const byName = (a: ExperimentEntry, b: ExperimentEntry): number =>
  Number(b.exists) - Number(a.exists) ||
  a.name.localeCompare(b.name, undefined, { numeric: true }) ||
  (a.file < b.file ? -1 : 1);

/** Runs in tree order: starred ones first, then as sorted; equal ones newest first. */
export function sortRuns(runs: readonly RunEntry[], sort: Sort): RunEntry[] {
  const order = ORDERS[sort](runs);
  return [...runs].sort(
    (a, b) => Number(b.user.star ?? false) - Number(a.user.star ?? false) || order(a, b) || newest(a, b),
  );
}

const newest = (a: RunEntry, b: RunEntry): number => (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);

const names = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/** Sorts thousands of runs: the key of each is computed once. */
const by = <T>(
  runs: readonly RunEntry[],
  key: (run: RunEntry) => T,
  compare: (a: T, b: T) => number,
): ((a: RunEntry, b: RunEntry) => number) => {
  const keys = new Map(runs.map((run) => [run, key(run)]));
  return (a, b) => compare(keys.get(a)!, keys.get(b)!);
};

const ORDERS: Record<Sort, (runs: readonly RunEntry[]) => (a: RunEntry, b: RunEntry) => number> = {
  newest: () => newest,
  metric: (runs) => by(runs, scoreOf, bestFirst),
  name: (runs) => by(runs, runLabel, names.compare),
};

/** Larger is better; runs that were not measured or diverged come last. */
function scoreOf({ run }: RunEntry): number {
  const best = run && bestEvaluation(run);
  if (!best || hasDiverged(run)) return -Infinity;
  const metric = metricOf(run);
  return score(metric, metricValue(best.metrics, metric));
}
