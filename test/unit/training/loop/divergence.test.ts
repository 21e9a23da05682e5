import { describe, expect, it } from 'vitest';
import type { EvaluationMetrics } from '../../../../src/protocol/events';
import { DivergenceWatch } from '../../../../src/training/loop/divergence';

const metrics = (loss: number, accuracy: number): EvaluationMetrics => ({
  ...{ loss, accuracy },
  ...{ f1: accuracy, matthews: 0, examples: 100 },
});
/** With two labels, one of which makes up 60% of the validation data. */
const GUESSING = Math.log(2);
const MAJORITY = { metric: 'accuracy', value: 0.6 } as const;
const judge = (losses: number[], loss: number, accuracy: number) => {
  const judged = new DivergenceWatch(losses, GUESSING, MAJORITY).judge(metrics(loss, accuracy));
  return 'diverged' in judged ? judged.diverged : 'counts';
};

describe('an evaluation', () => {
  it('diverged if it is not finite', () => {
    expect(new DivergenceWatch([0.7], GUESSING, MAJORITY).judge('diverged')).toEqual({
      diverged: 'non-finite',
    });
  });

  it('exploded if neither data set is fitted and the accuracy does not exceed the majority class', () => {
    expect(judge([0.7, 5, 9], 2.2, 0.6)).toBe('exploded');
    expect(judge([0.7, 5, 9], 2.2, 0.4)).toBe('exploded');
    expect(judge([0.7, 5, 9], 2e9, 0.9)).toBe('exploded');
  });

  it.each([
    ['before anything was learned', [0.7, 0.7, 0.7], 0.71, 0.6],
    ['that overfits and is worse than the majority class', [0.7, 0.001, 0.0001], 9, 0.5],
    ['that overfits random labels with high confidence', [0.7, 0, 0], 25, 0.3],
    ['after a spike that did not hurt the accuracy', [0.7, 4, 6], 3, 0.8],
    ['of a model that predicted other labels and learns slowly', [6, 5.8, 5.7], 5.6, 0.1],
    ['that is no better than guessing because the rate is too high', [0.7, 2, 1.5], 1.3, 0.5],
  ])('counts %s', (_, losses, loss, accuracy) => {
    expect(judge(losses, loss, accuracy)).toBe('counts');
  });

  it('is judged by the baseline and the loss of guessing of its kind of task', () => {
    const entities = (tagAccuracy: number): EvaluationMetrics => ({
      ...{ loss: 7, tagAccuracy, examples: 100 },
      ...{ entityF1: 0, entityPrecision: 0, entityRecall: 0 },
    });
    const baseline = { metric: 'tagAccuracy', value: 0.8 } as const;
    const watch = new DivergenceWatch([2, 5, 9], Math.log(9), baseline);
    expect(watch.judge(entities(0.8))).toMatchObject({ diverged: 'exploded' });
    expect(watch.judge(entities(0.81))).not.toHaveProperty('diverged');
    // With more labels, 7 is less than three times the loss of guessing.
    const many = new DivergenceWatch([2, 5, 9], Math.log(12), baseline);
    expect(many.judge(entities(0.1))).not.toHaveProperty('diverged');
    // An evaluation without the baseline's metric is no better than it.
    const without: EvaluationMetrics = { loss: 7, entityF1: 1, examples: 100 };
    expect(watch.judge(without)).toMatchObject({ diverged: 'exploded' });
  });

  it('is judged the same whether the earlier steps ran in this process or in a previous one', () => {
    const losses = Array.from({ length: 30 }, (_, i) => 0.7 + i);
    const whole = new DivergenceWatch(losses, GUESSING, MAJORITY);
    const resumed = new DivergenceWatch(losses.slice(0, 3), GUESSING, MAJORITY);
    losses.slice(3).forEach((loss) => resumed.stepped(loss));
    expect(resumed).toEqual(whole);
  });
});
