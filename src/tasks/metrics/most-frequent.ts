import type { MetricName } from '../../experiment/metrics';
import type { Baseline } from '../../protocol/alarms/baseline';

/**
 * Always the most frequent class of the training data; the first at ties.
 *
 * @param train class indices
 * @param validation class indices, on which the share of that class is the value
 */
export function mostFrequent(
  train: Iterable<number>,
  validation: Iterable<number>,
  labels: readonly string[],
  metric: MetricName,
): Baseline {
  const counts = new Array<number>(labels.length).fill(0);
  for (const label of train) counts[label]++;
  const most = counts.indexOf(Math.max(...counts));
  let [right, all] = [0, 0];
  for (const label of validation) {
    if (label === most) right++;
    all++;
  }
  return { answer: `always "${labels[most]}"`, metric, value: right / all };
}
