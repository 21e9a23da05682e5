import { expect, it } from 'vitest';
import { shortNumber } from '../../../src/base/number-text';
import {
  byteTickTexts,
  logTicksOf,
  ticksOf,
  tickTexts,
  WHOLE_INCREMENTS,
} from '../../../src/base/tick-texts';

it('formats numbers of any size in three digits', () => {
  const sizes = [0.89231, 4.5e-6, 1, 0, 0.0005, 12.34, 999.4, 999.9, 1234.5, 25_000_000, -0.0321, 0.001];
  expect(sizes.map(shortNumber)).toEqual([
    ...['0.892', '4.5e-6', '1', '0', '5e-4', '12.3', '999', '1,000', '1,235', '2.5e7', '-0.0321', '0.001'],
  ]);
  expect([NaN, Infinity].map(shortNumber)).toEqual(['–', 'Infinity']);
});

it('gives ticks the decimals that tell them apart', () => {
  expect(tickTexts([0, 0.5, 1])).toEqual(['0', '0.5', '1.0']);
  expect(tickTexts([0.8975, 0.898, 0.8985], { scale: 100, unit: '%' })).toEqual([
    '89.75%',
    '89.80%',
    '89.85%',
  ]);
  expect(tickTexts([0, 0.5, 1], { scale: 100, unit: '%' })).toEqual(['0%', '50%', '100%']);
  expect(tickTexts([1e-5, 1.5e-5, 2e-5])).toEqual(['1e-5', '1.5e-5', '2e-5']);
  expect(tickTexts([0, 2000, 4000])).toEqual(['0', '2,000', '4,000']);
  expect(tickTexts([0.7])).toEqual(['0.7']);
  expect(byteTickTexts([0, 5e8, 1e9])).toEqual(['0 GB', '0.5 GB', '1.0 GB']);
});

it('chooses ticks within a range, and whole ones where only those exist', () => {
  expect(ticksOf(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(ticksOf(1, 900, 6)).toEqual([200, 400, 600, 800]);
  expect(ticksOf(3, 5, 10, WHOLE_INCREMENTS)).toEqual([3, 4, 5]);
  expect(logTicksOf(0.05, 2)).toEqual([0.05, 0.1, 0.2, 0.5, 1, 2]);
  expect(logTicksOf(1e-6, 1)).toEqual([1e-6, 1e-5, 1e-4, 0.001, 0.01, 0.1, 1]);
});
