import { expect, it } from 'vitest';
import { settingAxes } from '../../../../src/study/sweep/axis';
import { sortTrials, type SortKey } from '../../../../src/study/sweep/trials';
import { lineOf, METRIC, nearestLine, parallelLayout, within } from '../../../../src/study/sweep/parallel';
import { shadeEnds, shades } from '../../../../src/study/sweep/sweep-style';
import { numberAxis } from '../../../../src/study/sweep/axis';
import { queued, trial } from './trial';

const trials = [
  trial(1, { settings: { rank: 8 }, metric: 0.7, spans: [[0, 9000]] }),
  trial(2, { settings: { rank: 2 }, metric: 0.9, spans: [[0, 5000]] }),
  queued(3, { settings: { rank: 4 } }),
  trial(4, { settings: { rank: 2 }, metric: 0.8, state: 'running', step: 50, spans: [[0, 7000]] }),
];
const axes = settingAxes(['rank'], [], trials);
const all = [...axes, numberAxis(METRIC, 'accuracy', [0.7, 0.8, 0.9])];

it.each<[SortKey, number[], number[]]>([
  ['number', [1, 2, 3, 4], [4, 3, 2, 1]],
  ['metric', [1, 4, 2, 3], [2, 4, 1, 3]],
  ['setting:rank', [2, 4, 3, 1], [1, 3, 2, 4]],
  ['state', [4, 3, 1, 2], [1, 2, 3, 4]],
  ['progress', [4, 1, 2, 3], [1, 2, 4, 3]],
  ['duration', [2, 4, 1, 3], [1, 4, 2, 3]],
])('trials by %s, those without a value last', (key, ascending, descending) => {
  const order = (down: boolean) => sortTrials(trials, { key, descending: down }, axes).map((t) => t.number);
  expect(order(false)).toEqual(ascending);
  expect(order(true)).toEqual(descending);
});

it('shades go from the worst to the best, whatever is far off', () => {
  const of = shades([10, 1, 2, 3, 1000], 'loss');
  expect([1000, 10, 3, 2, 1].map(of)).toEqual([0, 2, 4, 5, 7]);
  expect(shades([0.5], 'accuracy')(0.5)).toBe(7);
  expect(shadeEnds([10, 1, 1000], 'loss')).toEqual([1000, 10, 1]);
  expect(shadeEnds([], 'loss')).toBeUndefined();
});

it('ranges on axes keep the trials that are in all of them', () => {
  const kept = (brushes: Record<string, [number, number]>) =>
    within(trials, all, brushes).map((t) => t.number);
  expect(kept({})).toEqual([1, 2, 3, 4]);
  expect(kept({ rank: [0, 0.5] })).toEqual([2, 3, 4]);
  expect(kept({ rank: [0, 0.5], [METRIC]: [0.6, 1] })).toEqual([2]);
  expect(kept({ other: [0, 0] })).toEqual([1, 2, 3, 4]);
});

it('the line under the pointer is the nearest one', () => {
  const layout = parallelLayout(all, 400, 300);
  const [a, b] = lineOf(layout, trials[0]);
  expect(lineOf(layout, trials[2])).toHaveLength(1);
  const near = [a[0] + (b[0] - a[0]) / 4, a[1] + (b[1] - a[1]) / 4 + 3] as const;
  expect(nearestLine(layout, trials, near)?.number).toBe(1);
  expect(nearestLine(layout, trials, [near[0], layout.top])).toBeUndefined();
});
