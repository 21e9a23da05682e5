import { gathered } from '../base/gathered';
import type { Experiment } from '../experiment/experiment';
import { type MetricName, metricValue, type MetricValue, score } from '../experiment/metrics';
import { type Group, seedOf } from './groups';
import { groupKey, isRate, keyOf, settingsOf } from './labels';
import { meanOf } from './statistics/summary';

/** A search over learning rates: groups that differ only in them. */
export interface RateSearch {
  /** The chosen group's. */
  label: string;
  /**
   * Seeds tried with every rate, ignoring rates of which no run is left; if there are none, each rate is judged on its
   * own seeds.
   */
  seeds: number[];
  /** A mean is 'diverged' if a run with one of these seeds diverged. */
  tried: TriedRate[];
}

export interface TriedRate {
  learningRate: number;
  mean: MetricValue;
  chosen: boolean;
  /** The seeds that a rate was tried with, if no run of it is left, and it has no group. */
  lostSeeds?: number[];
}

/**
 * Chooses one learning rate of each family, by the same rule for all: the best mean of the metric over the seeds that
 * all its rates have in common; among equals, the lowest rate. Extra seeds give a rate no advantage, and a rate that
 * diverged with one of the common seeds loses. Always by the validation set, also if the runs are compared on another.
 *
 * @param diverged the settings of runs that are excluded from all numbers because their training diverged
 * @returns the searches with more than one rate; `chosen` becomes false for the others, and the chosen ones are
 *   labeled without a rate, so that the label does not depend on which it is
 */
export function chooseRates(
  groups: readonly Group[],
  metric: MetricName,
  diverged: readonly Experiment[],
): RateSearch[] {
  const lost = ratesWithoutGroup(groups, diverged);
  const lostBy = gathered(lost, (l) => l.family);
  const searches = [...gathered(groups, (g) => g.family)].flatMap(([name, family]) => {
    const without = lostBy.get(name) ?? [];
    if (family.length + without.length < 2) return [];
    const trained = (g: Group) => [...g.seeds, ...g.diverged];
    const shared = trained(family[0]).filter((seed) => family.every((g) => trained(g).includes(seed)));
    const tried = family.map((group) => {
      if (group.diverged.some((seed) => shared.includes(seed))) return { group, mean: 'diverged' as const };
      const counted = shared.length > 0 ? group.runs.filter((r) => shared.includes(seedOf(r))) : group.runs;
      return { group, mean: meanOf(counted.map((r) => metricValue(r.chosenOn ?? r.metrics, metric))) };
    });
    const byRate = [...tried].sort((a, b) => a.group.learningRate - b.group.learningRate);
    const best = byRate.reduce((a, b) => (score(metric, b.mean) > score(metric, a.mean) ? b : a));
    for (const { group } of tried) group.chosen = group === best.group;
    return [{ chosen: best.group, seeds: shared, tried, without }];
  });
  nameWithoutRates(groups.filter((g) => g.chosen));
  return searches.map(({ chosen, seeds, tried, without }) => ({
    label: chosen.label,
    seeds,
    tried: [
      ...tried.map(({ group: { learningRate }, group, mean }) => ({
        learningRate,
        mean,
        chosen: group === chosen,
      })),
      ...without.map(({ learningRate, lostSeeds }) => ({
        ...{ learningRate, mean: 'diverged' as const, chosen: false, lostSeeds },
      })),
    ].sort((a, b) => a.learningRate - b.learningRate),
  }));
}

/** Rates whose runs all diverged: they form no group, but were tried. */
function ratesWithoutGroup(
  groups: readonly Group[],
  diverged: readonly Experiment[],
): { family: string; learningRate: number; lostSeeds: number[] }[] {
  if (diverged.length === 0) return [];
  const known = new Set(groups.map((g) => groupKey(g.runs[0].spec)));
  const lost = [...gathered(diverged, groupKey)].filter(([key]) => !known.has(key));
  return lost.map(([, specs]) => ({
    family: keyOf(settingsOf(specs[0]), isRate),
    learningRate: specs[0].training.learningRate,
    lostSeeds: specs.map((spec) => spec.training.seed).sort((a, b) => a - b),
  }));
}

function nameWithoutRates(chosen: readonly Group[]): void {
  for (const namesakes of gathered(chosen, (g) => g.withoutRate.label).values())
    if (namesakes.length === 1) Object.assign(namesakes[0], namesakes[0].withoutRate);
}
