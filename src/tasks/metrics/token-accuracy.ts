import { IGNORE_LABEL } from '../objective';
import { argmax } from '../softmax';
import { ratio } from './ratio';

/**
 * Share of tokens that are the most probable next token after those before them (scikit-learn's accuracy_score over all
 * tokens of all examples). From 0 to 1; 0 of no tokens.
 */
export class NextTokenAccuracy {
  private right = 0;
  private total = 0;

  /**
   * Position t predicts label t + 1, as in the objective "causal-lm"; IGNORE_LABEL does not count.
   *
   * @param labels one token for each position
   * @param logits (labels.length, vocabulary), row-major; of equal ones, the first token is predicted
   */
  add(labels: ArrayLike<number>, logits: Float32Array): void {
    const vocabulary = logits.length / labels.length;
    for (let t = 0; t + 1 < labels.length; t++) {
      const next = labels[t + 1];
      if (next === IGNORE_LABEL) continue;
      if (argmax(logits.subarray(t * vocabulary, (t + 1) * vocabulary)) === next) this.right++;
      this.total++;
    }
  }

  accuracy(): number {
    return ratio(this.right, this.total);
  }
}
