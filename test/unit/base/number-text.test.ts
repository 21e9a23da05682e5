import { expect, it } from 'vitest';
import {
  count,
  decimalText,
  epochText,
  errorText,
  numberText,
  rateNumber,
  rateText,
  settingNumber,
  shortNumber,
} from '../../../src/base/number-text';
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

it('formats numbers of large size without an exponent as long as they can be read', () => {
  expect([1_234_567, 9_999_999, 1e7].map(shortNumber)).toEqual(['1,234,567', '9,999,999', '1e7']);
  expect([12_345_678, 0.012345, -3.14159].map(numberText)).toEqual(['12,345,678', '0.01235', '-3.142']);
});

it('keeps the decimals of a column, and fewer in large numbers', () => {
  expect([0.5, 9.87654, 12.34567, 123.4567, 1234.56].map((v) => decimalText(v, 4))).toEqual([
    ...['0.5000', '9.8765', '12.346', '123.46', '1,235'],
  ]);
  expect(decimalText(256_589.2, 4)).toBe('256,589');
});

it('writes settings with all digits, and learning rates of a schedule like them', () => {
  expect([0.005, 0.05, 0.1, 1e-8, 0, 512].map(settingNumber)).toEqual([
    ...['0.005', '0.05', '0.1', '1e-8', '0', '512'],
  ]);
  // Rates of different sizes stand side by side.
  expect([1e-3, 2.5e-4, 0.01, 0.05, 0.1, 0, 1].map(rateNumber)).toEqual([
    ...['1e-3', '2.5e-4', '1e-2', '5e-2', '1e-1', '0', '1'],
  ]);
  expect([0.00098765, 0.012345, NaN].map(rateText)).toEqual(['9.88e-4', '1.23e-2', '–']);
  expect([1.23e-7, 0.5, 0].map(errorText)).toEqual(['1.2e-7', '5e-1', '0']);
  expect([0.5, 12, 3.14159, NaN].map(epochText)).toEqual(['0.5', '12', '3.14', '–']);
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
  expect(tickTexts([0, 0.001, 0.002], { small: 0.01 })).toEqual(['0', '1e-3', '2e-3']);
  expect(byteTickTexts([0, 5e8, 1e9])).toEqual(['0 GB', '0.5 GB', '1.0 GB']);
});

it('chooses ticks within a range, and whole ones where only those exist', () => {
  expect(ticksOf(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(ticksOf(1, 900, 6)).toEqual([200, 400, 600, 800]);
  expect(ticksOf(3, 5, 10, WHOLE_INCREMENTS)).toEqual([3, 4, 5]);
  expect(logTicksOf(0.05, 2)).toEqual([0.05, 0.1, 0.2, 0.5, 1, 2]);
  expect(logTicksOf(1e-6, 1)).toEqual([1e-6, 1e-5, 1e-4, 0.001, 0.01, 0.1, 1]);
});

it('a whole number has separators', () => {
  const numbers = [0, 999, 1000, 74_208, 1_234_567, -123, -1234, 123_456];
  expect(numbers.map(count)).toEqual(numbers.map((n) => n.toLocaleString('en-US')));
});
