import { describe, expect, it } from 'vitest';
import { scheduleFactor, warmupStepsOf } from '../../../../src/training/loop/training-plan';

const curve = (schedule: 'linear' | 'cosine' | 'constant', warmup: number, total: number) =>
  Array.from({ length: total + 2 }, (_, step) => scheduleFactor(schedule, step, warmup, total));

describe('learning rate schedules', () => {
  it('rise linearly to 1 during the warm-up, then fall linearly to 0 at the last step and stay there', () => {
    expect(curve('linear', 2, 10)).toEqual([
      0,
      0.5,
      1,
      7 / 8,
      6 / 8,
      5 / 8,
      4 / 8,
      3 / 8,
      2 / 8,
      1 / 8,
      0,
      0,
    ]);
  });

  it('follow half a cosine wave after the warm-up and stay at 0', () => {
    const factors = curve('cosine', 2, 10);
    [0, 0.5, 1, 0.9619398, 0.8535534, 0.6913417, 0.5, 0.3086583, 0.1464466, 0.0380602, 0, 0].forEach((f, i) =>
      expect(factors[i]).toBeCloseTo(f, 7),
    );
  });

  it('stay constant at 1 after the warm-up', () => {
    expect(curve('constant', 4, 6)).toEqual([0, 0.25, 0.5, 0.75, 1, 1, 1, 1]);
    expect(curve('constant', 0, 1)).toEqual([1, 1, 1]);
  });

  it('stay finite if the warm-up takes all steps', () => {
    for (const schedule of ['linear', 'cosine', 'constant'] as const)
      for (const factor of curve(schedule, 3, 3)) expect(factor).toSatisfy((f: number) => f >= 0 && f <= 1);
  });

  it('round the warm-up ratio up, and a number of steps takes precedence', () => {
    expect(warmupStepsOf({ warmupRatio: 0.06 }, 101)).toBe(7);
    expect(warmupStepsOf({ warmupRatio: 0 }, 101)).toBe(0);
    expect(warmupStepsOf({ warmupRatio: 0.06, warmupSteps: 0 }, 101)).toBe(0);
  });
});
