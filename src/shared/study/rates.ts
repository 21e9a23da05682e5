import type { MetricName } from '../experiment';
import { seedOf, type Group } from './groups';
import { senseOf } from './metric';
import { meanOf } from './statistics/summary';

/** A search over learning rates: groups that differ in nothing else. */
export interface RateSearch {
  /** The chosen group's label. */
  chosen: string;
  method: string;
  /** Seeds that all rates were tried with; of none, each rate stands for its own. */
  seeds: number[];
  tried: { label: string; learningRate: number; mean: number }[];
}

/**
 * Chooses one learning rate of each family, by one rule for all: the best mean of the metric over the seeds that all
 * its rates have in common, of equal ones the lowest rate. A rate that was also run with more seeds gains nothing by them.
 *
 * @returns the searches of more than one rate; the others' `chosen` becomes false
 */
export function chooseRates(groups: readonly Group[], metric: MetricName): RateSearch[] {
  const families = [...new Set(groups.map((g) => g.family))];
  return families.flatMap((name) => {
    const family = groups.filter((g) => g.family === name);
    if (family.length < 2) return [];
    const shared = family[0].seeds.filter((seed) => family.every((g) => g.seeds.includes(seed)));
    const tried = family.map(({ label, learningRate, runs }) => {
      const counted = shared.length > 0 ? runs.filter((r) => shared.includes(seedOf(r))) : runs;
      return { label, learningRate, mean: meanOf(counted.map((r) => r.metrics[metric])) };
    });
    const byRate = [...tried].sort((a, b) => a.learningRate - b.learningRate);
    const best = byRate.reduce((a, b) => (senseOf(metric) * (b.mean - a.mean) > 0 ? b : a));
    for (const group of family) group.chosen = group.label === best.label;
    return [{ chosen: best.label, method: family[0].method, seeds: shared, tried }];
  });
}
