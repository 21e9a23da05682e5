import { describe, expect, it } from 'vitest';
import { makePlan } from '../../../../src/training/loop/training-plan';
import { spec } from '../../extension/run-maker';

const plan = (settings: object) => makePlan({ ...spec.training, batchSize: 8, epochs: 3, ...settings }, 80);

describe('the number of steps', () => {
  it('is that of the epochs by default', () => expect(plan({}).totalSteps).toBe(30));

  it.each([7, 2000])('is training.maxSteps if that is given, whatever the epochs: %i', (maxSteps) => {
    const { totalSteps, epochs, warmupSteps, evaluates } = plan({ maxSteps, warmupRatio: 0.1 });
    expect(totalSteps).toBe(maxSteps);
    expect(epochs).toBe(Math.ceil(maxSteps / 10));
    // The schedule spans the steps that are trained.
    expect(warmupSteps).toBe(Math.ceil(maxSteps / 10));
    expect(evaluates(maxSteps)).toBe(true);
  });
});
