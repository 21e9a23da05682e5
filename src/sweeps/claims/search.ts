import { type Claim, combinations, type End, endAt, nextValue } from '../../experiment/claim';
import { type MetricValue, score } from '../../experiment/metrics';
import type { Settings } from '../../experiment/sweep';
import type { Tried } from '../../study/claim/certificate';
import { meanOf } from '../../study/statistics/summary';

/** The values that are searched, and how often each list was extended at each end. */
export interface SearchSpace {
  parameters: Claim['search']['parameters'];
  added: Readonly<Record<string, Record<End, number>>>;
}

export const searchSpace = ({ search }: Claim): SearchSpace => ({
  parameters: search.parameters,
  added: Object.fromEntries(Object.keys(search.parameters).map((key) => [key, { low: 0, high: 0 }])),
});

/**
 * The results of a method's search, and its best values: the best mean over the seeds; among equals, the first in the order
 * of the trials. A combination with a run that diverged is never the best.
 *
 * @param valueOf the metric of the trial with these values and a seed of the search
 * @returns without `chosen` if every combination diverged
 */
export function searched(
  { metric, search }: Pick<Claim, 'metric' | 'search'>,
  { parameters }: SearchSpace,
  valueOf: (values: Settings, seed: number) => MetricValue,
): { tried: Tried[]; chosen?: Settings } {
  const tried = combinations(parameters).map((values): Tried => {
    const all = Array.from({ length: search.seeds }, (_, i) => valueOf(values, i));
    return { values, mean: all.some((v) => v === 'diverged') ? 'diverged' : meanOf(all as number[]) };
  });
  const best = tried.reduce((a, b) => (score(metric, b.mean) > score(metric, a.mean) ? b : a));
  return best.mean === 'diverged' ? { tried } : { tried, chosen: best.values };
}

/**
 * The next space to search: a list is extended at an end, for all methods alike, if the best value of any method lies there.
 *
 * @param chosen the best values of each method
 * @param allows false for a value that is not valid for the setting
 * @returns undefined if the search is over
 */
export function extendedSpace(
  { search }: Pick<Claim, 'search'>,
  { parameters, added }: SearchSpace,
  chosen: readonly Settings[],
  allows: (key: string, value: number) => boolean,
): SearchSpace | undefined {
  let changed = false;
  const lists: Record<string, unknown[]> = {};
  const counts: Record<string, Record<End, number>> = {};
  for (const [key, values] of Object.entries(parameters)) {
    lists[key] = [...values];
    counts[key] = { ...added[key]! };
    for (const end of ['low', 'high'] as const) {
      if (counts[key][end] >= search.extend || !chosen.some((one) => endAt(values, one[key]) === end))
        continue;
      const value = nextValue(values, end);
      if (value === undefined || !allows(key, value)) continue;
      lists[key].push(value);
      counts[key][end] += 1;
      changed = true;
    }
  }
  return changed ? { parameters: lists, added: counts } : undefined;
}
