import { describe, expect, it } from 'vitest';
import { byCause, rangesText } from '../../../src/sweeps/causes';

describe('problems of trials', () => {
  it('are grouped by message and hint, in the order of their first trial', () => {
    const disk = { message: 'The disk is full.', hint: 'Free some space.' };
    expect(
      byCause([
        { number: 4, message: 'It diverged.' },
        { number: 3, ...disk },
        { number: 1, ...disk },
        { number: 2, message: disk.message },
      ]),
    ).toEqual([
      { ...disk, numbers: [1, 3] },
      { message: disk.message, numbers: [2] },
      { message: 'It diverged.', numbers: [4] },
    ]);
  });

  it.each([
    [[5], '5'],
    [[1, 2], '1, 2'],
    [[1, 2, 3, 7, 9, 10, 11, 12], '1-3, 7, 9-12'],
  ])('have their numbers written as ranges: %j', (numbers, text) => {
    expect(rangesText(numbers)).toBe(text);
  });
});
