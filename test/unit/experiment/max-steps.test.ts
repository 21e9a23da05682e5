import { describe, expect, it } from 'vitest';
import { ignoredSettings } from '../../../src/experiment/ignored-settings';
import { trainingLength } from '../../../src/experiment/training-length';

const ignored = (value: unknown) => ignoredSettings(value).map(({ path }) => path.join('.'));

describe('training.epochs beside training.maxSteps', () => {
  it('is ignored where both are written', () => {
    expect(ignoredSettings({ training: { epochs: 3, maxSteps: 2000 } })).toEqual([
      {
        path: ['training', 'epochs'],
        message: 'training.epochs is ignored, because training.maxSteps sets the number of steps.',
      },
    ]);
  });

  it('is not mentioned where only one of them is written', () => {
    expect(ignored({ training: { maxSteps: 5 } })).toEqual([]);
    expect(ignored({ training: { epochs: 5 } })).toEqual([]);
    for (const value of [undefined, null, [], 1, { training: 3, sweep: [] }, { sweep: { trials: [1] } }])
      expect(ignored(value)).toEqual([]);
  });

  it('is ignored in a sweep too', () => {
    const epochs = { 'training.epochs': [1, 2] };
    expect(ignored({ training: { maxSteps: 5 }, sweep: { parameters: epochs } })).toEqual([
      'sweep.parameters.training.epochs',
    ]);
    expect(ignored({ training: { epochs: 5 }, sweep: { parameters: { 'training.maxSteps': [1] } } })).toEqual(
      ['training.epochs'],
    );
    const trials = [{ 'training.epochs': 1 }, { 'training.epochs': 1, 'training.maxSteps': 9 }];
    expect(ignored({ sweep: { trials } })).toEqual(['sweep.trials.1.training.epochs']);
    expect(ignored({ sweep: { parameters: epochs } })).toEqual([]);
  });
});

describe('how long a run trains', () => {
  it('is said in steps where training.maxSteps decides', () => {
    expect(trainingLength({ epochs: 3, maxSteps: 2000 })).toBe('2000 steps');
    expect(trainingLength({ epochs: 3, maxSteps: 1 })).toBe('1 step');
    expect(trainingLength({ epochs: 3 })).toBe('3 epochs');
    expect(trainingLength({ epochs: 1 })).toBe('1 epoch');
  });
});
