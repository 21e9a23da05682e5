import { describe, expect, it } from 'vitest';
import { perplexity, TokenAccuracy } from '../../../../src/tasks/metrics/token-scores';
import { IGNORE_LABEL } from '../../../../src/tasks/objective';

/** Logits over a vocabulary of three that predict these tokens. */
const saying = (tokens: readonly number[]): Float32Array =>
  Float32Array.from(tokens.flatMap((token) => [0, 1, 2].map((v) => (v === token ? 1 : 0))));

describe('perplexity', () => {
  it('is e to the loss: the number of equally probable tokens', () => {
    expect(perplexity(0)).toBe(1);
    expect(perplexity(Math.log(50257))).toBeCloseTo(50257, 6);
  });

  it('is finite for every finite loss', () => {
    expect(perplexity(709)).toBe(Math.exp(709));
    for (const loss of [710, 1e300]) expect(perplexity(loss)).toBe(Number.MAX_VALUE);
  });
});

describe('token accuracy', () => {
  it('compares each position with the next token, over all texts', () => {
    const accuracy = new TokenAccuracy(1);
    // Predicted after the first three tokens: 1 2 2, of 1 2 0; what follows the last token is unknown.
    accuracy.add([0, 1, 2, 0], saying([1, 2, 2, 0]));
    expect(accuracy.accuracy()).toBeCloseTo(2 / 3, 12);
    accuracy.add([1, 1], saying([0, 1]));
    expect(accuracy.accuracy()).toBeCloseTo(2 / 4, 12);
  });

  it('leaves out what is not to be predicted', () => {
    const accuracy = new TokenAccuracy(1);
    accuracy.add([IGNORE_LABEL, IGNORE_LABEL, 2, 0], saying([0, 2, 1, 1]));
    expect(accuracy.accuracy()).toBe(1 / 2);
  });

  it('predicts the first of equal tokens', () => {
    const accuracy = new TokenAccuracy(1);
    accuracy.add([0, 0], new Float32Array(6));
    expect(accuracy.accuracy()).toBe(1);
  });

  it('is 0 of no tokens', () => {
    const accuracy = new TokenAccuracy(1);
    expect(accuracy.accuracy()).toBe(0);
    accuracy.add([1], saying([1]));
    accuracy.add([], saying([]));
    expect(accuracy.accuracy()).toBe(0);
  });
});
