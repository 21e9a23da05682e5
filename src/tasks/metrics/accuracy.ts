import type { MetricName } from '../../experiment/metrics';
import { ratio } from '../../experiment/scores/ratio';
import type { Baseline } from '../../protocol/baseline';

/**
 * Share of examples whose label is among the k with the largest scores (scikit-learn's top_k_accuracy_score). From 0 to
 * 1: 1 if there are at most k labels, 0 without examples. If scores are equal, the label with the higher index is
 * first, as there; `argmax` takes the lower.
 */
export class TopKAccuracy {
  private right = 0;
  private total = 0;

  constructor(private readonly k: number) {}

  /**
   * @param label the index of the true label
   * @param scores one finite number for each label, such as logits
   */
  add(label: number, scores: ArrayLike<number>): void {
    if (!Number.isInteger(label) || label < 0 || label >= scores.length)
      throw new RangeError(`Label ${label} is not one of the ${scores.length} labels.`);
    const own = scores[label];
    let before = 0;
    for (let i = 0; i < scores.length; i++) if (scores[i] > own || (scores[i] === own && i > label)) before++;
    if (before < this.k) this.right++;
    this.total++;
  }

  accuracy(): number {
    return ratio(this.right, this.total);
  }
}

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
