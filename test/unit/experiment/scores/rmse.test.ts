import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rootMeanSquaredError } from '../../../../src/experiment/scores/regression';

describe('the root mean squared error', () => {
  it('matches a computation by hand', () => {
    // Differences 1, −2, 2: √(9 / 3).
    expect(rootMeanSquaredError([3, 0, 5], [2, 2, 3])).toBeCloseTo(Math.sqrt(3), 12);
    expect(rootMeanSquaredError([1.5], [-2])).toBe(3.5);
    expect(rootMeanSquaredError([1, 2], [1, 2])).toBe(0);
    expect(rootMeanSquaredError([], [])).toBe(0);
  });

  it('rejects values without a partner', () => {
    expect(() => rootMeanSquaredError([1, 2], [1])).toThrow(RangeError);
  });

  it('is symmetric, in the unit of the values, and independent of the order', () => {
    const value = fc.integer({ min: -1000, max: 1000 }).map((n) => n / 8);
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 30 }), (list) => {
        const [a, b] = [list.map(([x]) => x), list.map(([, y]) => y)];
        const error = rootMeanSquaredError(a, b);
        expect(rootMeanSquaredError(b, a)).toBe(error);
        expect(rootMeanSquaredError([...a].reverse(), [...b].reverse())).toBeCloseTo(error, 10);
        const tenfold = [a, b].map((side) => side.map((v) => 10 * v));
        expect(rootMeanSquaredError(tenfold[0], tenfold[1])).toBeCloseTo(10 * error, 9);
        expect(error).toBeLessThanOrEqual(Math.max(...list.map(([x, y]) => Math.abs(x - y))) * (1 + 1e-12));
      }),
    );
  });
});
