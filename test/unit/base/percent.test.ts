import { expect, it } from 'vitest';
import { cautiousPercent, percent, roughPercent, sharePercent } from '../../../src/base/number-text';

it('formats a fraction with the given number of decimals', () => {
  expect([percent(0.61234), percent(0.61234, 0), percent(1.3, 2)]).toEqual(['61.2%', '61%', '130.00%']);
});

it('never rounds a nonzero fraction to zero', () => {
  expect([0, 0.0004, 0.0123, 0.5, 1.3].map((share) => roughPercent(share))).toEqual([
    '0%',
    '<0.1%',
    '1.2%',
    '50%',
    '130%',
  ]);
  expect(roughPercent(0.0004, 'less than 0.1%')).toBe('less than 0.1%');
});

it('shows 0% and 100% only for exactly none and all', () => {
  expect([0, 0.0001, 0.934, 0.9999, 1].map(cautiousPercent)).toEqual([
    '0%',
    '<0.1%',
    '93.4%',
    '>99.9%',
    '100%',
  ]);
});

it('gives a small share the digits that matter', () => {
  expect([0, 0.000001, 0.000598, 0.0626, 0.2516, 1, 1.47, 12.3].map(sharePercent)).toEqual([
    ...['0%', '<0.001%', '0.0598%', '6.26%', '25.2%', '100%', '147%', '1230%'],
  ]);
});
