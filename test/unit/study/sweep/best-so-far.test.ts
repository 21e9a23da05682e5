import { expect, it } from 'vitest';
import { bestByNumber, bestOverTime, bestTrial } from '../../../../src/study/sweep/best-so-far';
import { bestFigure } from '../../../../src/study/sweep/sweep-figures';
import { queued, trial } from './trial';

const steps = ({ points }: ReturnType<typeof bestOverTime>) =>
  points.map((p) => [p.x, p.value, p.trial.number]);

it('the best trial has the best result that did not diverge, and the lowest number', () => {
  const trials = [trial(3, { metric: 0.8 }), trial(2, { metric: 0.8 }), trial(1, { metric: 0.7 }), queued(4)];
  expect(bestTrial(trials, 'accuracy')?.number).toBe(2);
  expect(bestTrial(trials, 'loss')?.number).toBe(1);
  expect(bestTrial([...trials, trial(5, { state: 'diverged', metric: 0.9 })], 'accuracy')?.number).toBe(2);
  expect(bestTrial([queued(1)], 'accuracy')).toBeUndefined();
});

it('the best so far by number improves in the order of the trials', () => {
  const trials = [trial(4, { metric: 0.9 }), trial(1, { metric: 0.7 }), trial(2, { metric: 0.6 }), queued(3)];
  expect(steps(bestByNumber(trials, 'accuracy'))).toEqual([
    [1, 0.7, 1],
    [4, 0.9, 4],
  ]);
  expect(steps(bestByNumber(trials, 'loss'))).toEqual([
    [1, 0.7, 1],
    [2, 0.6, 2],
  ]);
});

it('the best over time is that of every evaluation, and time stands still while nothing trains', () => {
  const day = 86_400_000;
  const trials = [
    trial(1, {
      spans: [[0, 60_000]],
      improved: [
        [10_000, 0.5],
        [50_000, 0.6],
      ],
    }),
    trial(2, {
      spans: [[30_000, 90_000]],
      improved: [
        [40_000, 0.55],
        [80_000, 0.58],
      ],
    }),
    trial(3, { spans: [[day, day + 20_000]], improved: [[day + 10_000, 0.7]] }),
  ];
  const found = bestOverTime(trials, 'accuracy');
  expect(steps(found)).toEqual([
    [10, 0.5, 1],
    [40, 0.55, 2],
    [50, 0.6, 1],
    [100, 0.7, 3],
  ]);
  expect(found.end).toBe(110);
  expect(found.all).toHaveLength(5);
});

it('is drawn with finite numbers, for one result too, and not without any', () => {
  const options = { metric: 'accuracy' } as const;
  const one = [trial(1, { metric: 0.5, improved: [[0, 0.5]] })];
  for (const by of ['time', 'number'] as const) {
    const figure = bestFigure(one, 400, { ...options, by })!;
    expect(JSON.stringify(figure)).not.toMatch(/null|NaN/);
    expect(figure.table.rows).toHaveLength(1);
    // By the label that it has everywhere, not by its place in the sweep.
    expect(figure.table.rows[0].at(-1)).toBe('#1 rank 4');
    expect(figure.summary).toBe('50.0% by #1 rank 4. Improvements: 1.');
    expect(bestFigure([queued(1)], 400, { ...options, by })).toBeUndefined();
  }
});
