import { describe, expect, it } from 'vitest';
import { cutBatch, halved, type Part } from '../../../../src/training/micro-batch/default-parts';

/** Computed positions, including padding. */
const partTokens = ({ indices, length }: Part): number => indices.length * length;

const lengths = [5, 12, 7, 12, 3, 9, 2, 8];
const batch = [6, 1, 4, 0, 3, 2, 7, 5];
const lengthOf = (i: number) => lengths[i];
const cut = (examples: number, tokens: number, trims = true) =>
  cutBatch(batch, lengthOf, { examples, tokens }, trims);

describe('splitting a batch', () => {
  it('leaves a batch within the limit unchanged, including its order', () => {
    for (const [examples, tokens] of [
      [Infinity, Infinity],
      [8, 96],
    ])
      expect(cut(examples, tokens)).toEqual([{ indices: batch, length: 12 }]);
  });

  it('makes parts of similar lengths with little padding', () => {
    expect(cut(3, Infinity)).toEqual([
      { indices: [1, 3, 5], length: 12 },
      { indices: [7, 2, 0], length: 8 },
      { indices: [4, 6], length: 3 },
    ]);
  });

  it('keeps the padding and the order if padding matters', () => {
    expect(cut(3, Infinity, false)).toEqual([
      { indices: [6, 1, 4], length: 12 },
      { indices: [0, 3, 2], length: 12 },
      { indices: [7, 5], length: 12 },
    ]);
  });

  it('puts every example into one part and exceeds no limit', () => {
    for (const trims of [true, false])
      for (let tokens = 1; tokens < 100; tokens++)
        for (const examples of [1, 2, 5, Infinity]) {
          const parts = cut(examples, tokens, trims);
          expect(parts.flatMap((p) => p.indices).toSorted()).toEqual(batch.toSorted());
          for (const p of parts) {
            expect(Math.max(...p.indices.map(lengthOf))).toBeLessThanOrEqual(p.length);
            expect(p.indices.length).toBeLessThanOrEqual(examples);
            if (p.indices.length > 1) expect(partTokens(p)).toBeLessThanOrEqual(tokens);
          }
        }
  });

  it('halves down to single examples and no further', () => {
    let tokens: number | undefined = Infinity;
    const largest: number[] = [];
    while (tokens !== undefined) {
      const parts = cut(Infinity, tokens);
      largest.push(Math.max(...parts.map(partTokens)));
      tokens = halved(parts);
    }
    expect(largest.length).toBeLessThan(8);
    expect(largest).toEqual(largest.toSorted((a, b) => b - a));
    expect(new Set(largest.slice(0, -1)).size).toBe(largest.length - 1);
  });
});
