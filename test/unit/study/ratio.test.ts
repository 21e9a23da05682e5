import { describe, expect, it } from 'vitest';
import { normal } from '../../../src/base/random';
import { chanceOf, halfOf } from '../../../src/study/statistics/difference';
import { pairedT } from '../../../src/study/statistics/paired-tests';
import { ratioOfMeans } from '../../../src/study/statistics/ratio';

/** The test whose result at the interval's ends defines the interval; it is compared with SciPy in `statistics.test.ts`. */
const chanceAt = (x: readonly number[], y: readonly number[], ratio: number) =>
  chanceOf(pairedT(x.map((v, i) => v - ratio * y[i])))!;

const draw = (seed: number, n: number, mean: number, spread: number) =>
  Array.from({ length: n }, (_, i) => mean + spread * normal(seed, i));

describe('the ratio of two paired means', () => {
  it('has exactly the ratios in its interval that the paired t test does not reject', () => {
    const y = draw(1, 40, 2, 1.5);
    const x = y.map((v, i) => 0.3 * v + 0.4 * normal(2, i));
    const { value, low, high } = ratioOfMeans(x, y)!;
    expect(chanceAt(x, y, value)).toBeCloseTo(1, 6);
    expect(chanceAt(x, y, low)).toBeCloseTo(0.05, 9);
    expect(chanceAt(x, y, high)).toBeCloseTo(0.05, 9);
    expect(chanceAt(x, y, low - 1e-3)).toBeLessThan(0.05);
    expect(chanceAt(x, y, (low + value) / 2)).toBeGreaterThan(0.05);
    // Skewed, since the denominator varies too.
    expect(high - value).not.toBeCloseTo(value - low, 3);
  });

  it('is the t interval of the mean, divided, if the denominator does not vary', () => {
    // 2 ± 4.302653 · √(1/3), by a table of t with 2 degrees of freedom.
    const found = ratioOfMeans([1, 2, 3], [2, 2, 2])!;
    expect(found.value).toBe(1);
    expect(found.low).toBeCloseTo((2 - 4.302653 / Math.sqrt(3)) / 2, 6);
    expect(found.high).toBeCloseTo((2 + 4.302653 / Math.sqrt(3)) / 2, 6);
    expect(found.high - found.value).toBeCloseTo(halfOf(pairedT([1, 2, 3])) / 2, 12);
  });

  it('has no width if one sample is a multiple of the other', () => {
    const { value, low, high } = ratioOfMeans([5, 6, 7], [10, 12, 14])!;
    expect(value).toBeCloseTo(0.5, 12);
    // The square root of a rounding error.
    expect([low, high]).toEqual([expect.closeTo(0.5, 6), expect.closeTo(0.5, 6)]);
    expect(ratioOfMeans([0, 0, 0], [10, 12, 14])).toEqual({ value: 0, low: 0, high: 0 });
  });

  it('does not exist if the denominator may be 0, or there are too few pairs', () => {
    expect(ratioOfMeans([1, 2, 3], [-1, 0, 1.1])).toBeUndefined();
    expect(ratioOfMeans([1, 2, 3], [0, 0, 0])).toBeUndefined();
    expect(ratioOfMeans([1], [2])).toBeUndefined();
    // At the edge, it exists just where the t test rejects a mean of 0.
    const near = (shift: number) => [-1, 0, 1].map((v) => v + shift);
    const edge = 4.302653 / Math.sqrt(3);
    expect(ratioOfMeans([1, 2, 3], near(edge - 1e-4))).toBeUndefined();
    expect(ratioOfMeans([1, 2, 3], near(edge + 1e-4))).toBeDefined();
  });

  it('includes the true ratio about as often as it says, also with few pairs and a noisy denominator', () => {
    const rounds = 2000;
    const truth = 0.25;
    let [covered, unbounded] = [0, 0];
    for (let r = 0; r < rounds; r++) {
      const y = draw(10 + r, 12, 1, 0.9);
      const x = y.map((v, i) => truth * v + 0.5 * normal(5, r, i));
      const found = ratioOfMeans(x, y);
      if (!found) unbounded++;
      else if (found.low <= truth && truth <= found.high) covered++;
    }
    expect(unbounded).toBeLessThan(rounds / 10);
    expect(covered / (rounds - unbounded)).toBeGreaterThan(0.94);
    expect(covered / (rounds - unbounded)).toBeLessThan(0.97);
  });
});
