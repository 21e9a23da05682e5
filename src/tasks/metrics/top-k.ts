import { ratio } from './ratio';

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
