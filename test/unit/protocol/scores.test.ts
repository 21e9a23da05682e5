import { describe, expect, it } from 'vitest';
import type { Evaluated, RunEvent } from '../../../src/protocol/events';
import { meanScore, scoresOf } from '../../../src/protocol/evaluations';
import { metrics } from '../extension/run-maker';

const event = (set: string | undefined, score: Evaluated, seq = 0): RunEvent => ({
  ...{ v: 1, seq, t: 0, kind: 'test-evaluation', step: 40, seconds: 1, metrics: score },
  set,
});
const evaluations = { boolq: { path: 'boolq.json' }, piqa: { path: 'piqa.json' } };

describe('the mean over evaluation sets', () => {
  it('counts each set the same, whatever its size, metric by metric', () => {
    const small = { loss: 1, accuracy: 0.5, examples: 10 };
    const large = { loss: 3, accuracy: 1, perplexity: 2, examples: 1000 };
    // A metric that a set lacks has no mean.
    expect(meanScore([small, large])).toEqual({ loss: 2, accuracy: 0.75 });
    expect(meanScore([small])).toEqual({ loss: 1, accuracy: 0.5 });
  });

  it('is diverged if one of them is, and undefined for none', () => {
    expect(meanScore([metrics(0.5), 'diverged'])).toBe('diverged');
    expect(meanScore([])).toBeUndefined();
  });
});

describe("the scores in a run's journal", () => {
  it('are those of the test set and of each evaluation set, in the order of the experiment', () => {
    const events = [
      event(undefined, metrics(0.9)),
      event('piqa', metrics(0.5)),
      event('boolq', metrics(0.7)),
    ];
    expect(scoresOf(events, { evaluations })).toEqual({
      step: 40,
      test: metrics(0.9),
      sets: [
        { name: 'boolq', score: metrics(0.7) },
        { name: 'piqa', score: metrics(0.5) },
      ],
      mean: expect.objectContaining({ accuracy: 0.6 }) as object,
    });
  });

  it('have no mean while a set is missing, and are undefined before the first', () => {
    const scores = scoresOf([event('boolq', metrics(0.7))], { evaluations });
    expect(scores).toEqual({ step: 40, sets: [{ name: 'boolq', score: metrics(0.7) }] });
    expect(scoresOf([], { evaluations })).toBeUndefined();
    expect(scoresOf([event(undefined, 'diverged')], undefined)).toEqual({
      step: 40,
      test: 'diverged',
      sets: [],
    });
  });
});
