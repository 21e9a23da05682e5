import { describe, expect, it } from 'vitest';
import type { MetricValue } from '../../../../src/experiment/metrics';
import type { TrialState, TrialView } from '../../../../src/runs/sweep/look';
import { trainedCount } from '../../../../src/experiment/sweep';
import { decideRates, undecided } from '../../../../src/trainer/sweep/rate-search';
import { evaluationsOf } from './evaluations';

let number = 0;

/** A trial with its accuracies, the last of which counts; one that has any has finished. */
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

describe('a search of learning rates', () => {
  it('does not choose a rate whose last evaluation diverged, whatever it was before', () => {
    const trials = [
      trial(2, 0.1, 1, [0.5]),
      trial(2, 0.1, 2),
      trial(2, 0.2, 1, [0.9, 'diverged']),
      trial(2, 0.2, 2),
    ];
    for (const metric of ['accuracy', 'loss'] as const)
      expect(kinds(trials, 1, metric)).toMatchObject({ 'r2 0.1 s2': 'go', 'r2 0.2 s2': 'prune' });
  });

  it.each(['diverged', 'failed'] as const)('chooses none of the rates where each of them %s', (how) => {
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

  it('trains all rates with the first seed, and lets the others wait for that search alone', () => {
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

  it('goes by the last evaluation, as a study does, and of equal rates takes the lowest', () => {
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

  it('goes by the mean where it has several seeds', () => {
    const trials = [0.1, 0.2].flatMap((rate) =>
      [1, 2, 3].map((seed) =>
        trial(2, rate, seed, seed === 3 ? [] : [rate === 0.1 ? (seed === 1 ? 0.9 : 0.1) : 0.6]),
      ),
    );
    expect(kinds(trials, 2)).toMatchObject({ 'r2 0.1 s3': 'prune', 'r2 0.2 s3': 'go' });
  });

  it('knows beforehand how many are trained', () => {
    const settings = [2, 4].flatMap((rank) =>
      [0.1, 0.2, 0.3].flatMap((rate) => [1, 2, 3].map((seed) => trial(rank, rate, seed).record.settings)),
    );
    expect(trainedCount(settings, { seeds: 1 })).toBe(2 * (3 + 2));
    expect(trainedCount(settings, { seeds: 2 })).toBe(2 * (6 + 1));
    expect([trainedCount(settings, { seeds: 5 }), trainedCount(settings, undefined)]).toEqual([18, 18]);
  });

  it('lets a rate lose that failed or measured no number', () => {
    const trials = [
      trial(2, 0.1, 1, [0.4]),
      trial(2, 0.2, 1, [NaN]),
      trial(2, 0.3, 1, [0.9], 'failed'),
      ...[0.1, 0.2, 0.3].map((rate) => trial(2, rate, 2)),
    ];
    expect(kinds(trials)).toMatchObject({ 'r2 0.1 s2': 'go', 'r2 0.2 s2': 'prune', 'r2 0.3 s2': 'prune' });
  });
});
