import { describe, expect, it } from 'vitest';
import type { MetricValue } from '../../../src/experiment/metrics';
import type { TrialState, TrialView } from '../../../src/runs/sweep/look';
import { decide } from '../../../src/sweeps/halving';
import { evaluationsOf } from './evaluations';

/** A trial with these accuracies, one after each epoch of ten steps. */
function trial(number: number, accuracies: MetricValue[], state: TrialState = 'stopped'): TrialView {
  const evaluations = evaluationsOf(accuracies);
  const record = { id: `t${number}`, number, settings: {}, planned: true };
  return { record, state, step: 10 * accuracies.length, steps: 90, evaluations };
}

const verdicts = (trials: TrialView[], pruning = {}) =>
  Object.fromEntries(
    [...decide(trials, { eta: 3, minEpochs: 1, ...pruning }, 'accuracy')].map(([id, v]) => [
      id,
      v.kind === 'go' ? (v.until ?? 'end') : v.kind,
    ]),
  );

describe('successive halving', () => {
  it('sends every trial to the first rung and makes early ones wait', () => {
    expect(verdicts([trial(1, [0.9]), trial(2, []), trial(3, [], 'waiting')])).toEqual({
      t1: 'wait',
      t2: 'epoch:1',
      t3: 'epoch:1',
    });
    expect(verdicts([trial(1, []), trial(2, [])], { minEpochs: undefined, minSteps: 40 })).toEqual({
      t1: 'step:40',
      t2: 'step:40',
    });
  });

  it('keeps one in eta and trains it eta times as long, and the last one to the end', () => {
    const nine = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9].map((a, i) => trial(i + 1, [a]));
    const after = verdicts(nine);
    expect([after.t9, after.t8, after.t7]).toEqual(Array(3).fill('epoch:3'));
    expect(Object.values(after).filter((v) => v === 'prune')).toHaveLength(6);
    nine[6] = trial(7, [0.7, 0.7, 0.95]);
    nine[7] = trial(8, [0.8, 0.8, 0.8]);
    expect(verdicts(nine)).toMatchObject({ t7: 'wait', t8: 'wait', t9: 'epoch:3' });
    nine[8] = trial(9, [0.9, 0.9, 0.9]);
    expect(verdicts(nine)).toMatchObject({ t7: 'end', t8: 'prune', t9: 'prune' });
  });

  it('compares the results at the rung, however far a trial has trained since', () => {
    const went = trial(1, [0.2, 0.9, 0.9, 0.9]);
    expect(verdicts([went, trial(2, [0.3]), trial(3, [0.1])])).toEqual({
      t1: 'prune',
      t2: 'end',
      t3: 'prune',
    });
  });

  it('does not depend on the order of the trials and keeps the first of equal ones', () => {
    const [a, b, c] = [trial(1, [0.5]), trial(2, [0.5]), trial(3, [0.5])];
    expect(verdicts([c, a, b])).toEqual({ t1: 'end', t2: 'prune', t3: 'prune' });
  });

  it('prunes a trial with a diverged evaluation, by every metric, but not a worse trial without one', () => {
    const trials = [trial(1, [0.9, 0.9, 'diverged']), trial(2, [0.5, 0.5, 0.5]), trial(3, [0.1, 0.1, 0.2])];
    for (const metric of ['accuracy', 'loss'] as const)
      expect([...decide(trials, { eta: 2, minEpochs: 3 }, metric)].map(([id, v]) => [id, v.kind])).toEqual([
        ['t3', 'prune'],
        ['t1', 'prune'],
        ['t2', 'go'],
      ]);
  });

  it('counts a diverged evaluation as a result at the rung', () => {
    expect(verdicts([trial(1, ['diverged']), trial(2, [0.5]), trial(3, [], 'waiting')])).toEqual({
      t1: 'wait',
      t2: 'wait',
      t3: 'epoch:1',
    });
  });

  it('does not wait for failed or finished trials', () => {
    const failed = trial(1, [0.9], 'failed');
    const done = trial(2, [0.1], 'finished');
    expect(verdicts([failed, done, trial(3, [0.5])])).toEqual({ t1: 'over', t2: 'over', t3: 'end' });
    // The more accurate one fails before the second rung. The next best stays pruned, and the sweep ends.
    expect(verdicts([trial(1, [0.9, 0.9], 'failed'), trial(2, [0.5])])).toEqual({ t1: 'over', t2: 'end' });
  });

  it('keeps the lower loss', () => {
    const best = [...decide([trial(1, [0.2]), trial(2, [0.7])], { eta: 2, minEpochs: 1 }, 'loss')];
    expect(best.map(([id, v]) => [id, v.kind])).toEqual([
      ['t1', 'prune'],
      ['t2', 'go'],
    ]);
  });

  it('is off by default', () => {
    const all = decide([trial(1, [0.1]), trial(2, [], 'failed')], undefined, 'accuracy');
    expect([...all.values()]).toEqual([{ kind: 'go' }, { kind: 'over' }]);
  });
});
