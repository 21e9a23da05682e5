import { describe, expect, it } from 'vitest';
import { linear } from '../../../src/study/figures/scale';

describe('the marks of an axis', () => {
  it.each([
    [
      [63.43, 64.41],
      ['63.50', '63.75', '64.00', '64.25'],
    ],
    [
      [0.1, 0.9],
      ['0.2', '0.4', '0.6', '0.8'],
    ],
    [
      [10, 110],
      ['25', '50', '75', '100'],
    ],
  ])('lie as far apart as they read: %j', (values, expected) => {
    const { marks, text } = linear(values, 0, 240);
    expect(marks.map(text)).toEqual(expected);
  });
});
