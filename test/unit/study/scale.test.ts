import { describe, expect, it } from 'vitest';
import { linear, logarithmic } from '../../../src/study/figures/figure';

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
  ])('are as far apart as their labels say: %j', (values, expected) => {
    const { marks, text } = linear(values, 0, 240);
    expect(marks.map(text)).toEqual(expected);
  });
});

describe('an axis of a bounded metric', () => {
  it('ends at the bound and clamps values beyond it', () => {
    const { at, marks, text } = linear([97, 99.5, 102], 0, 240, { within: [0, 100] });
    expect(marks.map(text).at(-1)).toBe('100');
    expect([at(100), at(102)]).toEqual([240, 240]);
    expect(at(97)).toBeGreaterThan(0);
  });

  it('leaves room below when every run is perfect', () => {
    const { at, marks } = linear([100, 100], 0, 240, { within: [0, 100] });
    expect(at(100)).toBe(240);
    expect(Math.max(...marks)).toBe(100);
    expect(Math.min(...marks)).toBeLessThan(100);
  });
});

it('has only its zero if there is nothing else, as in a study of runs without adapters', () => {
  const { marks, at } = logarithmic([0, 0], 50, 500);
  expect([marks, at(0)]).toEqual([[0], 58]);
});
