import { describe, expect, it } from 'vitest';
import { settingAxes } from '../../../../src/study/sweep/axis';
import { BINS, heatMap } from '../../../../src/study/sweep/heat-map';
import type { PageTrial } from '../../../../src/protocol/panels/sweep';
import { queued, trial } from './trial';

const map = (
  trials: readonly PageTrial[],
  show: 'best' | 'mean' = 'best',
  metric: 'accuracy' | 'loss' = 'accuracy',
) => {
  const [x, y] = settingAxes(['rank', 'method'], [], trials);
  return heatMap(trials, x, y, { metric, show });
};
const of = (number: number, rank: number, method: string, given: Partial<PageTrial> = {}) =>
  trial(number, { settings: { rank, method, seed: number }, ...given });

describe('a heat map', () => {
  const trials = [
    of(1, 2, 'lora', { metric: 0.6 }),
    of(2, 2, 'lora', { metric: 0.8 }),
    of(3, 4, 'lora', { state: 'diverged' }),
    of(4, 2, 'aurora', { metric: 0.7 }),
    queued(5, { settings: { rank: 2, method: 'aurora' } }),
    queued(6, { settings: { rank: 4, method: 'aurora' }, state: 'passed-over' }),
  ];

  it('has the best or the mean of the trials that differ in other settings', () => {
    const values = (m: ReturnType<typeof map>) => m.cells.map((row) => row.map((c) => c.value));
    expect(map(trials)).toMatchObject({ columns: ['2', '4'], rows: ['lora', 'aurora'], range: [0.7, 0.8] });
    expect(values(map(trials))).toEqual([
      [0.8, undefined],
      [0.7, undefined],
    ]);
    expect(values(map(trials, 'mean'))[0][0]).toBeCloseTo(0.7);
    expect(values(map(trials, 'best', 'loss'))[0][0]).toBe(0.6);
  });

  it('counts trials and results, and tells a cell without a result from one that was not tried', () => {
    const { cells } = map(trials);
    expect(cells.map((row) => row.map((c) => [c.trials.length, c.measured]))).toEqual([
      [
        [2, 2],
        [1, 0],
      ],
      [
        [2, 1],
        [0, 0],
      ],
    ]);
  });

  it('puts many numbers into bins on their scale', () => {
    const drawn = Array.from({ length: 40 }, (_, i) =>
      trial(i, { settings: { rank: 1e-4 * 10 ** (i / 13), method: 'a' }, metric: i }),
    );
    const { columns, cells } = map(drawn);
    expect(columns).toHaveLength(BINS);
    expect(cells[0].reduce((n, c) => n + c.trials.length, 0)).toBe(40);
    // Each has as many, since they are spaced by factors.
    expect(Math.max(...cells[0].map((c) => c.trials.length))).toBe(5);
  });
});
