import { describe, expect, it } from 'vitest';
import { timeLeft } from '../../../../src/study/sweep/trials';
import { part, queued, trial } from './trial';

const running = { state: 'running', parallel: 2 } as const;

describe('the time left', () => {
  it('is that of the trials to come at the pace of those that have ended, in parallel', () => {
    const trials = [trial(1), trial(2), queued(3), queued(4), queued(5), queued(6)];
    expect(timeLeft(running, trials)).toEqual({ seconds: 200, from: 2 });
    expect(timeLeft({ ...running, parallel: 1 }, trials)?.seconds).toBe(400);
  });

  it('is at least that of the longest trial, which is estimated by its own pace once it has one', () => {
    // 10 steps in 40 s are too few to tell; 20 steps in 80 s are not.
    expect(timeLeft(running, [trial(1), part(2, 'running', 10, 40)])?.seconds).toBeCloseTo(90);
    expect(timeLeft(running, [trial(1), part(2, 'running', 20, 80)])?.seconds).toBeCloseTo(320);
  });

  it('is unknown before a trial has ended or paused, and without a running sweep', () => {
    expect(timeLeft(running, [part(1, 'running', 50), queued(2)])).toBeUndefined();
    expect(timeLeft({ ...running, state: 'stopped' }, [trial(1), queued(2)])).toBeUndefined();
    expect(
      timeLeft(running, [trial(1, { state: 'failed', step: 0, spans: [[0, 500]] }), queued(2)]),
    ).toBeUndefined();
  });

  it('does not count trials that were passed over or are no longer planned', () => {
    const trials = [
      trial(1),
      queued(2),
      queued(3, { state: 'passed-over' }),
      queued(4, { state: 'dropped' }),
    ];
    expect(timeLeft({ ...running, parallel: 1 }, trials)?.seconds).toBe(100);
  });

  it('of successive halving is what the comparisons leave: 9 trials to 1/9, 3 to 1/3, 1 to the end', () => {
    const pruning = { eta: 3, minSteps: 100 };
    const at = (step: number, number: number, state: 'waiting' | 'pruned' = 'waiting') =>
      trial(number, { state, step, steps: 900, spans: [[0, 1000 * step]] });
    const facts = { ...running, parallel: 1, pruning };
    const first = [at(100, 1), ...[2, 3, 4, 5, 6, 7, 8, 9].map((n) => queued(n))];
    // 8 × 100 steps, then 3 × 200, then 1 × 600, at a second each.
    expect(timeLeft(facts, first)?.seconds).toBeCloseTo(2000);
    const second = [
      at(300, 1),
      at(100, 2),
      at(100, 3),
      ...[4, 5, 6, 7, 8, 9].map((n) => at(100, n, 'pruned')),
    ];
    expect(timeLeft(facts, second)?.seconds).toBeCloseTo(1000);
    const epochs = second.map((t) => ({ ...t, epochs: 9 }));
    expect(timeLeft({ ...facts, pruning: { eta: 3, minEpochs: 1 } }, epochs)?.seconds).toBeCloseTo(1000);
  });

  it('of a learning rate search counts the other seeds with one rate only', () => {
    const settings = [1, 2].flatMap((seed) =>
      [0.1, 0.01, 0.001].map((rate) => ({ 'training.learningRate': rate, 'training.seed': seed })),
    );
    const trials = settings.map((s, i) =>
      i === 0 ? trial(1, { settings: s }) : queued(i + 1, { settings: s }),
    );
    const facts = { ...running, parallel: 1, search: { seeds: 1 } };
    expect(timeLeft(facts, trials)?.seconds).toBeCloseTo(300);
  });
});
