import type { MetricName } from '../experiment/metrics';
import type { Baseline } from './kind';

/**
 * Always the most frequent class of the training data; the first at ties.
 *
 * @param train class indices
 * @param validation class indices, on which the share of that class is the value
 */
export function mostFrequent(
  train: readonly number[],
  validation: readonly number[],
  labels: readonly string[],
  metric: MetricName,
): Baseline {
  const counts = new Array<number>(labels.length).fill(0);
  for (const label of train) counts[label]++;
  const most = counts.indexOf(Math.max(...counts));
  return {
    answer: `always "${labels[most]}"`,
    metric,
    value: validation.filter((label) => label === most).length / validation.length,
  };
}
