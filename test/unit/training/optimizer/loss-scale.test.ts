import { describe, expect, it } from 'vitest';
import type { Stepper } from '../../../../src/engine/stepper';
import { LossScale, skippedWarning, withLossScale } from '../../../../src/training/optimizer/loss-scale';

const good = (scale: LossScale, steps: number) => {
  for (let i = 0; i < steps; i++) scale.good();
};

describe('the loss scale', () => {
  it('starts at 65,536, halves after each overflow and doubles after 2,000 good steps in a row', () => {
    const scale = new LossScale();
    expect(scale.value).toBe(65536);
    scale.skip(1);
    expect(scale.value).toBe(32768);
    good(scale, 1999);
    expect(scale.value).toBe(32768);
    scale.skip(2001);
    good(scale, 1999);
    expect(scale.value).toBe(16384);
    good(scale, 1);
    expect(scale.value).toBe(32768);
    good(scale, 2000);
    expect(scale.value).toBe(65536);
    expect(scale.skipped).toBe(2);
  });

  it('continues from its saved state', () => {
    const [one, other] = [new LossScale(), new LossScale()];
    one.skip(1);
    good(one, 1500);
    other.load(JSON.parse(JSON.stringify(one.state())) as ReturnType<LossScale['state']>);
    for (const scale of [one, other]) good(scale, 500);
    expect(other.state()).toEqual(one.state());
    expect(other.state()).toEqual({ scale: 65536, goodSteps: 0, skipped: 1 });
  });

  it('ends the run with a hint when it would fall below 1', () => {
    const scale = new LossScale();
    for (let step = 1; step <= 16; step++) scale.skip(step);
    expect(scale.value).toBe(1);
    expect(() => scale.skip(17)).toThrow(
      expect.objectContaining({
        kind: 'diverged',
        message: expect.stringContaining('at step 17'),
        hint: expect.stringContaining('float32'),
      }),
    );
  });

  it('never becomes infinite', () => {
    const scale = new LossScale();
    scale.load({ scale: 2 ** 127, goodSteps: 1999, skipped: 0 });
    scale.good();
    expect(Math.fround(scale.value)).toBe(2 ** 127);
  });

  it('warns about the first skipped steps, then less and less often', () => {
    const scale = new LossScale();
    const told: number[] = [];
    for (let step = 1; step <= 1000; step++) {
      scale.load({ ...scale.state(), scale: 65536 });
      scale.skip(step);
      if (skippedWarning(step, scale)) told.push(step);
    }
    expect(told).toEqual([1, 2, 3, 10, 100, 1000]);
  });

  it('does not change the gradients by a bit', async () => {
    const numbers = [0.1, -3e-30, 1e-38, 7, 0];
    const stepper = {
      step: (_inputs: unknown, _parameters: unknown, gradScale: number) =>
        Promise.resolve({
          lossSum: 3,
          count: 2,
          gradients: new Map([['a', Float32Array.from(numbers, (v) => Math.fround(v) * gradScale)]]),
        }),
    } as unknown as Stepper;
    const scale = new LossScale();
    const plain = await stepper.step({}, new Map(), 0.25);
    const scaled = await withLossScale(stepper, scale).step({}, new Map(), 0.25);
    expect(scaled.gradients.get('a')).toEqual(plain.gradients.get('a'));
    expect(scaled).toMatchObject({ lossSum: 3, count: 2 });
  });
});
