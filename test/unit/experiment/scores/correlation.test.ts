import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pearson, spearman } from '../../../../src/experiment/scores/regression';

/** Without the implementation's sorting: how many are less, and the middle of those that are equal. */
const ranks = (values: readonly number[]): number[] =>
  values.map((v) => {
    const less = values.filter((w) => w < v).length;
    const equal = values.filter((w) => w === v).length;
    return less + (equal + 1) / 2;
  });

/** Few different values, so that many are equal. */
const pairs = fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })), {
  minLength: 2,
  maxLength: 40,
});
const sides = (list: readonly (readonly [number, number])[]): [number[], number[]] => [
  list.map(([x]) => x),
  list.map(([, y]) => y),
];

describe('correlations', () => {
  it("match a computation by hand, and Pearson's follows the values, Spearman's their order", () => {
    // Means 3 and 4; deviations −2 −1 0 1 2 and −3 −1 −2 1 5: 6 + 1 + 0 + 1 + 10 = 18 over √10 · √40.
    expect(pearson([1, 2, 3, 4, 5], [1, 3, 2, 5, 9])).toBeCloseTo(18 / 20, 12);
    // The ranks 1 2 3 4 5 and 1 3 2 4 5: 1 − 6 · (0 + 1 + 1 + 0 + 0) / (5 · 24).
    expect(spearman([1, 2, 3, 4, 5], [1, 3, 2, 5, 9])).toBeCloseTo(1 - 12 / 120, 12);
    // Ranks 1.5 1.5 3 and 1 2.5 2.5: deviations −½ −½ 1 and −1 ½ ½ give ¾ over 3/2.
    expect(spearman([7, 7, 8], [0, 100, 100])).toBeCloseTo(1 / 2, 12);
    expect(spearman([1, 2, 3, 4], [1, 10, 100, 1000])).toBeCloseTo(1, 12);
    expect(spearman([1, 2, 3, 4], [5, 3, 2, -9])).toBeCloseTo(-1, 12);
  });

  it('are 0 where undefined', () => {
    const constant = new Array<number>(10).fill(0.1);
    const other = constant.map((_, i) => i);
    for (const f of [pearson, spearman]) {
      expect(f([], [])).toBe(0);
      expect(f([3], [4])).toBe(0);
      // The sum of ten times 0.1 is not 1.
      expect(f(constant, other)).toBe(0);
      expect(f(other, constant)).toBe(0);
      expect(f(constant, constant)).toBe(0);
    }
  });

  it('reject values without a partner', () => {
    for (const f of [pearson, spearman]) expect(() => f([1, 2], [1])).toThrow(RangeError);
  });

  it('are exact for small differences between large values', () => {
    // Multiples of 2⁻³⁰ below 2⁻²⁰ are exact beside 10⁶, so that only the algorithm can lose them.
    const noise = fc.array(fc.tuple(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: 1000 })), {
      minLength: 2,
      maxLength: 60,
    });
    fc.assert(
      fc.property(noise, (list) => {
        const [x, y] = sides(list.map(([a, b]) => [a * 2 ** -30, b * 2 ** -30] as const));
        const large = pearson(
          x.map((v) => 1e6 + v),
          y.map((v) => 3 - 1e6 + v),
        );
        expect(large).toBeCloseTo(pearson(x, y), 12);
      }),
    );
  });

  it('are finite for values whose squares are not', () => {
    expect(pearson([1e200, 2e200, 3e200], [1e-200, 3e-200, 5e-200])).toBeCloseTo(1, 12);
    expect(pearson([1e200, 2e200, 3e200], [5, 3, 1])).toBeCloseTo(-1, 12);
  });

  it("do not depend on the order of the examples, and Spearman's is Pearson's of the ranks", () => {
    fc.assert(
      fc.property(pairs, (list) => {
        const [x, y] = sides(list);
        const [u, v] = sides([...list].reverse());
        for (const f of [pearson, spearman]) {
          expect(f(u, v)).toBeCloseTo(f(x, y), 12);
          expect(f(y, x)).toBeCloseTo(f(x, y), 12);
          expect(Math.abs(f(x, y))).toBeLessThanOrEqual(1);
        }
        expect(spearman(x, y)).toBeCloseTo(pearson(ranks(x), ranks(y)), 12);
      }),
    );
  });

  it("do not depend on unit and origin, and Spearman's not on any increasing function", () => {
    fc.assert(
      fc.property(pairs, (list) => {
        const [x, y] = sides(list);
        const scaled = x.map((v) => 7 - 3 * v);
        expect(pearson(scaled, y)).toBeCloseTo(-pearson(x, y), 12);
        expect(spearman(scaled, y)).toBeCloseTo(-spearman(x, y), 12);
        expect(spearman(x.map(Math.exp), y)).toBeCloseTo(spearman(x, y), 12);
      }),
    );
  });
});
