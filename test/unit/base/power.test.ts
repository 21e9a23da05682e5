import { describe, expect, it } from 'vitest';
import { power, realPower } from '../../../src/base/power';

describe('powers', () => {
  it('are exact where the result can be', () => {
    expect([power(3, 0), power(3, 1), power(3, 5), power(-2, 3), power(10, 15), power(0, 3)]).toEqual([
      1, 3, 243, -8, 1e15, 0,
    ]);
    expect(power(2, 1023)).toBe(2 ** 1023);
  });

  it('are near those of the platform', () => {
    for (const [x, n] of [
      [0.9, 17],
      [0.999, 100_000],
      [0.95, 1234],
    ] as const) {
      expect(power(x, n) / x ** n).toBeCloseTo(1, 10);
      expect(realPower(x, n) / x ** n).toBeCloseTo(1, 10);
    }
    expect(realPower(10_000, -0.25)).toBeCloseTo(0.1, 15);
  });
});
