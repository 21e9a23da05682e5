import { ratio } from './ratio';

/**
 * The sum over thresholds of precision times the gain in recall, without interpolation (scikit-learn's
 * average_precision_score). Each distinct score is one threshold, so equal scores are found together and their order
 * does not matter.
 *
 * @param truth for each example whether it is positive
 * @param scores as many finite numbers, of which only the order counts
 * @returns from 0 to 1; 0 without a positive example, as scikit-learn, which warns
 */
export function averagePrecision(truth: readonly boolean[], scores: ArrayLike<number>): number {
  const order = truth.map((_, i) => i).sort((i, j) => scores[j] - scores[i]);
  let [sum, found] = [0, 0];
  for (let start = 0, end = 0; start < order.length; start = end) {
    const before = found;
    for (; end < order.length && scores[order[end]] === scores[order[start]]; end++)
      if (truth[order[end]]) found++;
    sum += (found - before) * (found / end);
  }
  return ratio(sum, found);
}
