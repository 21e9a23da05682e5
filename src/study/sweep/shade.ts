import { score, type MetricName } from '../../experiment/metrics';

/** Shades of the color scale, from the worst result (0) to the best. */
export const SHADES = 8;

/**
 * The shade of a value: by how many of the trials it is better than, so that one trial that is far off does not make all
 * others look the same.
 *
 * @param values of all trials with a result
 */
export function shades(values: readonly number[], metric: MetricName): (value: number) => number {
  const scores = values.map((v) => score(metric, v)).sort((a, b) => a - b);
  const distinct = scores.filter((s, i) => i === 0 || s !== scores[i - 1]);
  return (value) => {
    const worse = distinct.filter((s) => s < score(metric, value)).length;
    if (distinct.length < 2) return SHADES - 1;
    return Math.min(SHADES - 1, Math.round((worse / (distinct.length - 1)) * (SHADES - 1)));
  };
}

/** The worst, the median and the best value, for a legend; undefined before the first result. */
export function shadeEnds(
  values: readonly number[],
  metric: MetricName,
): [worst: number, median: number, best: number] | undefined {
  const sorted = [...values].sort((a, b) => score(metric, a) - score(metric, b));
  return sorted.length === 0
    ? undefined
    : [sorted[0], sorted[Math.floor((sorted.length - 1) / 2)], sorted.at(-1)!];
}
