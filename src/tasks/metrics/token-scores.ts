import { ratio } from '../../experiment/scores/ratio';
import { IGNORE_LABEL } from '../objective';
import { argmax } from '../softmax';

/**
 * Share of tokens that are the most probable ones at their place (scikit-learn's accuracy_score over all tokens of all
 * examples). From 0 to 1; 0 of no tokens.
 */
export class TokenAccuracy {
  private right = 0;
  private total = 0;

  /** @param ahead 1 where position t predicts label t + 1, as in the objective "causal-lm"; 0 for its own label */
  constructor(private readonly ahead: 0 | 1) {}

  /**
   * @param labels one token for each position; IGNORE_LABEL does not count
   * @param logits (labels.length, vocabulary), row-major; of equal ones, the first token is predicted
   */
  add(labels: ArrayLike<number>, logits: Float32Array): void {
    const vocabulary = logits.length / labels.length;
    for (let t = 0; t + this.ahead < labels.length; t++) {
      const label = labels[t + this.ahead];
      if (label === IGNORE_LABEL) continue;
      if (argmax(logits.subarray(t * vocabulary, (t + 1) * vocabulary)) === label) this.right++;
      this.total++;
    }
  }

  accuracy(): number {
    return ratio(this.right, this.total);
  }
}

/**
 * e to the mean cross-entropy: the effective number of equally likely tokens.
 *
 * @param loss the mean cross-entropy over all predicted tokens, in nats
 * @returns from 1; the largest number above a loss of 709.78, since an evaluation must be finite
 */
export const perplexity = (loss: number): number => Math.min(Math.exp(loss), Number.MAX_VALUE);
