import { append } from '../base/gathered';
import type { TrialView } from '../runs/sweep/look';
import { type MetricName, metricValue, score } from '../experiment/metrics';
import { RATE, searchKey, SEED, type RateSearch } from '../experiment/sweep';
import { isOver, type Verdict } from './halving';

/**
 * A learning-rate search at the same cost for all: trials that differ only in learning rate and seed form one search.
 * All its rates are trained with the first seeds, and only the best rate with the others: by the mean of the last
 * evaluations, as a study chooses (docs/study.md). The outcome depends only on evaluations, as for `decide`.
 *
 * @param trials of the plan
 * @returns the verdict on each trial, by id
 */
export function decideRates(
  trials: readonly TrialView[],
  { seeds }: RateSearch,
  metric: MetricName,
): Map<string, Verdict> {
  return new Map(searchesOf(trials).flatMap((search) => decideOne(search, seeds, metric)));
}

/**
 * All trials of each finished search without a best rate, because every rate had a run that diverged or failed. The
 * trials with other seeds are not started.
 */
export const undecided = (
  trials: readonly TrialView[],
  { seeds }: RateSearch,
  metric: MetricName,
): TrialView[][] => searchesOf(trials).filter((search) => bestOf(search, seeds, metric).best === 'none');

function searchesOf(trials: readonly TrialView[]): TrialView[][] {
  const searches = new Map<string, TrialView[]>();
  for (const t of trials) {
    const key = searchKey(t.record.settings);
    append(searches, key, t);
  }
  return [...searches.values()];
}

function decideOne(search: readonly TrialView[], seeds: number, metric: MetricName): [string, Verdict][] {
  const { first, best } = bestOf(search, seeds, metric);
  return search.map((t): [string, Verdict] => {
    if (isOver(t)) return [t.record.id, { kind: 'over' }];
    if (first.has(seedOf(t)) || rateOf(t) === best) return [t.record.id, { kind: 'go' }];
    return [t.record.id, { kind: best === undefined ? 'wait' : 'prune' }];
  });
}

/** The seeds with which all rates are trained, and the best rate; undefined while the search is running. */
function bestOf(
  search: readonly TrialView[],
  seeds: number,
  metric: MetricName,
): { first: ReadonlySet<number>; best: number | 'none' | undefined } {
  const byNumber = [...search].sort((a, b) => a.record.number - b.record.number);
  const first = new Set([...new Set(byNumber.map(seedOf))].slice(0, seeds));
  const searched = search.filter((t) => first.has(seedOf(t)));
  return { first, best: searched.every(isOver) ? bestRate(searched, metric) : undefined };
}

/** The lowest of equal rates; one that failed, diverged or measured nothing is never chosen. */
function bestRate(searched: readonly TrialView[], metric: MetricName): number | 'none' {
  const rates = [...new Set(searched.map(rateOf))].sort((a, b) => a - b);
  const mean = (rate: number) => {
    const values = searched.filter((t) => rateOf(t) === rate).map((t) => valueOf(t, metric));
    return values.reduce((sum, v) => sum + v, 0) / values.length;
  };
  const best = rates.reduce((best, rate) => (mean(rate) > mean(best) ? rate : best));
  return mean(best) === -Infinity ? 'none' : best;
}

function valueOf({ state, evaluations }: TrialView, metric: MetricName): number {
  const last = evaluations.at(-1);
  return state === 'failed' || last?.kind !== 'evaluation'
    ? -Infinity
    : score(metric, metricValue(last.metrics, metric));
}

const rateOf = ({ record }: TrialView): number => record.settings[RATE] as number;
const seedOf = ({ record }: TrialView): number => record.settings[SEED] as number;
