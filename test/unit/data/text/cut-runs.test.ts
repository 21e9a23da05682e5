import { describe, expect, it } from 'vitest';
import { cutRuns } from '../../../../src/data/text/cut-runs';

const [CLS, SEP] = [1, 2];

describe('the tokens that truncation removed', () => {
  it('are none of a text that fits', () => {
    expect(cutRuns([CLS, 5, SEP], [CLS, 5, SEP])).toEqual([]);
  });

  it('are at the end of a text, before its last special token', () => {
    expect(cutRuns([CLS, 5, 6, 7, 8, SEP], [CLS, 5, 6, SEP])).toEqual([{ start: 3, at: 3, count: 2 }]);
  });

  it('are at the beginning, after its first special token', () => {
    expect(cutRuns([CLS, 5, 6, 7, 8], [CLS, 7, 8])).toEqual([{ start: 1, at: 1, count: 2 }]);
  });

  it('are of both texts of a pair', () => {
    expect(cutRuns([CLS, 5, 6, 7, SEP, 8, 9, 10, SEP], [CLS, 5, SEP, 8, SEP])).toEqual([
      { start: 2, at: 2, count: 2 },
      { start: 6, at: 4, count: 2 },
    ]);
  });

  it('leave the kept ones, also where equal tokens leave their place open', () => {
    for (const [whole, kept] of [
      [
        [5, 5, 5, 5],
        [5, 5],
      ],
      [
        [CLS, 5, 5, SEP, 5, 5, SEP],
        [CLS, 5, SEP, 5, SEP],
      ],
      [
        [CLS, 5, 6, 5, 6, SEP],
        [CLS, 5, 6, SEP],
      ],
    ] as const) {
      const removed = new Set(
        cutRuns(whole, kept).flatMap(({ start, count }) =>
          Array.from({ length: count }, (_, i) => start + i),
        ),
      );
      expect(whole.filter((_, i) => !removed.has(i))).toEqual(kept);
    }
  });
});
