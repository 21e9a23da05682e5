import { ratio } from './ratio';

/**
 * Root of the mean squared difference, in the unit of the values, from 0 (scikit-learn's root_mean_squared_error).
 *
 * @param truth finite numbers
 * @param predicted as many
 * @returns 0 of no values
 */
export function rootMeanSquaredError(truth: ArrayLike<number>, predicted: ArrayLike<number>): number {
  if (truth.length !== predicted.length)
    throw new RangeError(`${truth.length} values cannot be paired with ${predicted.length}.`);
  let sum = 0;
  for (let i = 0; i < truth.length; i++) sum += (truth[i] - predicted[i]) ** 2;
  return Math.sqrt(ratio(sum, truth.length));
}

/**
 * Pearson's correlation of paired values, from −1 to 1 (scipy.stats.pearsonr).
 *
 * @param a finite numbers
 * @param b as many
 * @returns 0 where it is undefined: fewer than two values, or all values of one side equal. SciPy gives NaN there, but
 *     an evaluation must be finite, and a model that answers the same to everything has learned no relation.
 */
export function pearson(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`${a.length} values cannot be paired with ${b.length}.`);
  const x = deviations(a);
  const y = deviations(b);
  if (!x || !y) return 0;
  let [xx, yy, xy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    xx += x[i] * x[i];
    yy += y[i] * y[i];
    xy += x[i] * y[i];
  }
  return Math.max(-1, Math.min(1, xy / (Math.sqrt(xx) * Math.sqrt(yy))));
}

/**
 * Spearman's correlation: Pearson's of the ranks, where equal values share the mean of their ranks
 * (scipy.stats.spearmanr). Arguments, range and undefined cases are as in `pearson`.
 */
export const spearman = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  pearson(averageRanks(a), averageRanks(b));

/** The differences from the mean, divided by the largest, so that no square overflows; undefined if all are 0. */
function deviations(values: ArrayLike<number>): Float64Array | undefined {
  // Differences of close numbers are exact, and those of equal numbers 0, which the sum of large numbers is not.
  const shifted = new Float64Array(values).map((v) => v - values[0]);
  const mean = shifted.reduce((sum, v) => sum + v, 0) / shifted.length;
  const centered = shifted.map((v) => v - mean);
  const largest = centered.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  return largest === 0 ? undefined : centered.map((v) => v / largest);
}

/** From 1, in the order of the values; equal values share the mean of their ranks (scipy.stats.rankdata). */
export function averageRanks(values: ArrayLike<number>): Float64Array {
  const ranks = new Float64Array(values.length);
  let before = 0;
  for (const group of equalGroups(values)) {
    for (const i of group) ranks[i] = before + (group.length + 1) / 2;
    before += group.length;
  }
  return ranks;
}

/** The places of equal values together, the smallest first. */
export function equalGroups(values: ArrayLike<number>): number[][] {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((i, j) => values[i] - values[j]);
  const groups: number[][] = [];
  for (let start = 0, end = 0; start < order.length; start = end) {
    while (end < order.length && values[order[end]] === values[order[start]]) end++;
    groups.push(order.slice(start, end));
  }
  return groups;
}
