import { describe, expect, it } from 'vitest';
import type { MetricValue } from '../../../src/experiment/metrics';
import type { TrialState, TrialView } from '../../../src/runs/sweep/look';
import { trainedCount } from '../../../src/experiment/sweep';
import { decideRates, undecided } from '../../../src/sweeps/halving';
import { evaluationsOf } from './evaluations';

let number = 0;

/** A trial with these accuracies, of which the last counts. A trial with any accuracy has finished. */
function trial(
  rank: number,
  rate: number,
  seed: number,
  accuracies: MetricValue[] = [],
  state?: TrialState,
): TrialView {
  number += 1;
  const settings = { 'adapter.rank': rank, 'training.learningRate': rate, 'training.seed': seed };
  const evaluations = evaluationsOf(accuracies);
  return {
    record: { id: `r${rank} ${rate} s${seed}`, number, settings, planned: true },
    state: state ?? (accuracies.length > 0 ? 'finished' : 'waiting'),
    step: 0,
    steps: 20,
    evaluations,
  };
}

const kinds = (trials: TrialView[], seeds = 1, metric: 'accuracy' | 'loss' = 'accuracy') =>
  Object.fromEntries([...decideRates(trials, { seeds }, metric)].map(([id, { kind }]) => [id, kind]));

describe('the search for learning rates', () => {
  it('rejects a rate if its last evaluation diverged, whatever the earlier ones were', () => {
    const trials = [
      trial(2, 0.1, 1, [0.5]),
      trial(2, 0.1, 2),
      trial(2, 0.2, 1, [0.9, 'diverged']),
      trial(2, 0.2, 2),
    ];
    for (const metric of ['accuracy', 'loss'] as const)
      expect(kinds(trials, 1, metric)).toMatchObject({ 'r2 0.1 s2': 'go', 'r2 0.2 s2': 'prune' });
  });

  it.each(['diverged', 'failed'] as const)('chooses no learning rate if every one of them %s', (how) => {
    const lost = (rate: number) =>
      how === 'failed'
        ? trial(2, rate, 1, [0.9], 'failed')
        : trial(2, rate, 1, rate === 0.1 ? ['diverged'] : [0.9, 'diverged']);
    const trials = [
      ...[lost(0.1), trial(2, 0.1, 2), lost(0.2), trial(2, 0.2, 2), trial(2, 0.2, 3)],
      ...[trial(4, 0.1, 1, ['diverged']), trial(4, 0.1, 2), trial(4, 0.2, 1, [0.1]), trial(4, 0.2, 2)],
    ];
    for (const metric of ['accuracy', 'loss'] as const) {
      expect(kinds(trials, 1, metric)).toMatchObject({
        ...{ 'r2 0.1 s2': 'prune', 'r2 0.2 s2': 'prune', 'r2 0.2 s3': 'prune' },
        ...{ 'r4 0.1 s2': 'prune', 'r4 0.2 s2': 'go' },
      });
      const searches = undecided(trials, { seeds: 1 }, metric);
      expect(searches.map((s) => s.map((t) => t.record.id))).toEqual([
        ['r2 0.1 s1', 'r2 0.1 s2', 'r2 0.2 s1', 'r2 0.2 s2', 'r2 0.2 s3'],
      ]);
    }
  });

  it('trains all rates with the first seed, and the other seeds wait only for their own search', () => {
    const trials = [
      trial(2, 0.1, 1, [0.5]),
      trial(2, 0.1, 2),
      trial(2, 0.2, 1),
      trial(2, 0.2, 2),
      trial(4, 0.1, 1, [0.5]),
      trial(4, 0.1, 2),
      trial(4, 0.2, 1, [0.6]),
      trial(4, 0.2, 2),
    ];
    expect(kinds(trials)).toEqual({
      'r2 0.1 s1': 'over',
      'r2 0.1 s2': 'wait',
      'r2 0.2 s1': 'go',
      'r2 0.2 s2': 'wait',
      'r4 0.1 s1': 'over',
      'r4 0.1 s2': 'prune',
      'r4 0.2 s1': 'over',
      'r4 0.2 s2': 'go',
    });
  });

  it('uses the last evaluation, as a study does, and takes the lowest of equal rates', () => {
    const last = [
      trial(2, 0.1, 1, [0.9, 0.5]),
      trial(2, 0.2, 1, [0.6, 0.6]),
      trial(2, 0.1, 2),
      trial(2, 0.2, 2),
    ];
    expect(kinds(last)).toMatchObject({ 'r2 0.1 s2': 'prune', 'r2 0.2 s2': 'go' });
    expect(kinds(last, 1, 'loss')).toMatchObject({ 'r2 0.1 s2': 'prune', 'r2 0.2 s2': 'go' });
    const equal = [trial(2, 0.2, 1, [0.6]), trial(2, 0.1, 1, [0.6]), trial(2, 0.1, 2), trial(2, 0.2, 2)];
    expect(kinds(equal)).toMatchObject({ 'r2 0.1 s2': 'go', 'r2 0.2 s2': 'prune' });
  });

  it('uses the mean over several seeds', () => {
    const trials = [0.1, 0.2].flatMap((rate) =>
      [1, 2, 3].map((seed) =>
        trial(2, rate, seed, seed === 3 ? [] : [rate === 0.1 ? (seed === 1 ? 0.9 : 0.1) : 0.6]),
      ),
    );
    expect(kinds(trials, 2)).toMatchObject({ 'r2 0.1 s3': 'prune', 'r2 0.2 s3': 'go' });
  });

  it('computes in advance how many trials are trained', () => {
    const settings = [2, 4].flatMap((rank) =>
      [0.1, 0.2, 0.3].flatMap((rate) => [1, 2, 3].map((seed) => trial(rank, rate, seed).record.settings)),
    );
    expect(trainedCount(settings, { seeds: 1 })).toBe(2 * (3 + 2));
    expect(trainedCount(settings, { seeds: 2 })).toBe(2 * (6 + 1));
    expect([trainedCount(settings, { seeds: 5 }), trainedCount(settings, undefined)]).toEqual([18, 18]);
  });

  it('rejects a rate that failed or has no finite result', () => {
    const trials = [
      trial(2, 0.1, 1, [0.4]),
      trial(2, 0.2, 1, [NaN]),
      trial(2, 0.3, 1, [0.9], 'failed'),
      ...[0.1, 0.2, 0.3].map((rate) => trial(2, rate, 2)),
    ];
    expect(kinds(trials)).toMatchObject({ 'r2 0.1 s2': 'go', 'r2 0.2 s2': 'prune', 'r2 0.3 s2': 'prune' });
  });
});
