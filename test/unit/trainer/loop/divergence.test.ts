import { describe, expect, it } from 'vitest';
import type { EvaluationMetrics } from '../../../../src/protocol/events';
import { DivergenceWatch } from '../../../../src/trainer/loop/divergence';

const metrics = (loss: number, accuracy: number): EvaluationMetrics => ({
  ...{ loss, accuracy },
  ...{ f1: accuracy, matthews: 0, examples: 100 },
});
/** For two labels, one of which is 60 % of the validation data. */
const judge = (losses: number[], loss: number, accuracy: number) => {
  const judged = new DivergenceWatch(losses, 2, 0.6).judge(metrics(loss, accuracy));
  return 'diverged' in judged ? judged.diverged : 'counts';
};

describe('an evaluation', () => {
  it('is not finite where the evaluation says so', () => {
    expect(new DivergenceWatch([0.7], 2, 0.6).judge('diverged')).toEqual({ diverged: 'non-finite' });
  });

  it('has exploded where neither data set is fitted and the accuracy is no better than the majority class', () => {
    expect(judge([0.7, 5, 9], 2.2, 0.6)).toBe('exploded');
    expect(judge([0.7, 5, 9], 2.2, 0.4)).toBe('exploded');
    expect(judge([0.7, 5, 9], 2e9, 0.9)).toBe('exploded');
  });

  it.each([
    ['before anything was learned', [0.7, 0.7, 0.7], 0.71, 0.6],
    ['that overfits, worse than the majority class', [0.7, 0.001, 0.0001], 9, 0.5],
    ['that overfits labels which are noise, with every confidence', [0.7, 0, 0], 25, 0.3],
    ['after a spike that the accuracy survived', [0.7, 4, 6], 3, 0.8],
    ['of a model with other labels, which learns slowly', [6, 5.8, 5.7], 5.6, 0.1],
    ['no better than guessing with a rate that is too high', [0.7, 2, 1.5], 1.3, 0.5],
  ])('counts %s', (_, losses, loss, accuracy) => {
    expect(judge(losses, loss, accuracy)).toBe('counts');
  });

  it('is judged alike whether the steps before it were in this process or an earlier one', () => {
    const losses = Array.from({ length: 30 }, (_, i) => 0.7 + i);
    const whole = new DivergenceWatch(losses, 2, 0.6);
    const resumed = new DivergenceWatch(losses.slice(0, 3), 2, 0.6);
    losses.slice(3).forEach((loss) => resumed.stepped(loss));
    expect(resumed).toEqual(whole);
  });
});
