/**
 * e to the mean cross-entropy: the effective number of equally likely tokens.
 *
 * @param loss the mean cross-entropy over all predicted tokens, in nats
 * @returns from 1; the largest number above a loss of 709.78, since an evaluation must be finite
 */
export const perplexity = (loss: number): number => Math.min(Math.exp(loss), Number.MAX_VALUE);
