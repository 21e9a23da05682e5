import { expect, it } from 'vitest';
import { durationText, estimateText, stepTime } from '../../../src/base/number-text';

it('names a duration with its two largest units', () => {
  const seconds = [0, 0.05, 0.3, 3.24, 9.97, 48.4, 59.7, 60, 192, 3599.6, 7200, 7860, NaN];
  expect(seconds.map((s) => durationText(s))).toEqual([
    ...['0 s', '50 ms', '0.3 s', '3.2 s', '10 s', '48 s', '1 min', '1 min', '3 min 12 s', '1 h', '2 h'],
    ...['2 h 11 min', '–'],
  ]);
});

it('gives a measured time three digits', () => {
  expect([0.00042, 0.0032, 0.048, 0.62, 1.254, 9.996, 12.61, 99.96, 123.4].map(stepTime)).toEqual([
    ...['0.4 ms', '3.2 ms', '48 ms', '0.62 s', '1.25 s', '10.0 s', '12.6 s', '100 s', '123 s'],
  ]);
});

it('rounds an estimate to minutes', () => {
  expect([12, 45, 700, 3599, 7260, 9000].map((s) => estimateText(s))).toEqual([
    ...['less than a minute', 'about 1 min', 'about 12 min', 'about 1 h', 'about 2 h', 'about 2 h 30 min'],
  ]);
});
