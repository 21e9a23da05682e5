import { describe, expect, it } from 'vitest';
import type { Row, SkippedRow } from '../../../../src/data/table/rows';
import type { EncodableRows } from '../../../../src/tasks/task-data';
import { findRow, nameOfRow } from '../../../../src/training/tokens/find-row';
import { failure } from '../../data/support';

type Side = EncodableRows['splits']['train'];

const side = (path: string, lines: readonly number[], skipped: readonly SkippedRow[] = []): Side => ({
  path,
  rows: lines.map((line): Row => ({ line, text: `text ${line}`, label: '' })),
  skipped: [...skipped],
});

/** Lines 2 to 9 of one file; the row of line 5 has three lines, and that of line 8 cannot be used. */
const shared = {
  train: side('/d/all.csv', [2, 3, 5, 9], [{ line: 8, reason: 'no "text"' }]),
  validation: side('/d/all.csv', [4]),
};
const apart = { train: side('/d/train.csv', [2, 3]), validation: side('/d/dev.csv', [2, 3, 4]) };

describe('the number of a row', () => {
  it('is that of its line in the file, in the split that has it', () => {
    expect(findRow(shared, {}, true)).toEqual({ split: 'train', index: 0 });
    expect(findRow(shared, { row: '3' }, true)).toEqual({ split: 'train', index: 1 });
    expect(findRow(shared, { row: '4' }, true)).toEqual({ split: 'validation', index: 0 });
    expect(findRow(shared, { row: 'all.csv:9' }, true)).toEqual({ split: 'train', index: 3 });
    expect(findRow(apart, { row: '3' }, false)).toEqual({ split: 'train', index: 1 });
    expect(findRow(apart, { row: '3', split: 'validation' }, false)).toEqual({
      split: 'validation',
      index: 1,
    });
    expect(findRow(apart, { row: 'x/dev.csv:4' }, false)).toEqual({ split: 'validation', index: 2 });
  });

  it('may be that of any line of the row', () => {
    expect(findRow(shared, { row: '7' }, true)).toEqual({ split: 'train', index: 2 });
  });

  it('names the number of rows where there is none', () => {
    const refused = (row: string) => failure('usage', () => findRow(shared, { row }, true));
    expect(refused('10')).toContain('/d/all.csv has no row 10. It has 6 rows, from line 2 to line 9.');
    expect(refused('1')).toContain('It has 6 rows, from line 2 to line 9.');
    const one = { train: side('/d/a.parquet', [1]), validation: side('/d/b.parquet', [1]) };
    expect(failure('usage', () => findRow(one, { row: '2' }, false))).toContain('It has 1 row, row 1.');
  });

  it('is refused with the reason where the row cannot be used', () => {
    expect(failure('data', () => findRow(shared, { row: '8' }, true))).toContain('/d/all.csv:8: no "text".');
  });

  it('is refused where the row belongs to the other split', () => {
    expect(failure('usage', () => findRow(shared, { row: '4', split: 'train' }, true))).toBe(
      '/d/all.csv:4 belongs to the validation data, not to the training data. | Use --split validation, or omit --split.',
    );
  });

  it.each(['0', '-1', 'x', '1.5', ':3', 'a.csv:', '9999999999999999'])('is not %s', (row) => {
    expect(failure('usage', () => findRow(shared, { row }, true))).toContain('is not the number of a row.');
  });

  it('is refused with a file that the experiment does not read', () => {
    expect(failure('usage', () => findRow(apart, { row: 'test.csv:2' }, false))).toBe(
      'The experiment does not read test.csv. | Its files are train.csv, dev.csv.',
    );
  });
});

describe('a row of several files', () => {
  const parts = [
    { file: 'a.csv', before: 0 },
    { file: 'b.csv', before: 4 },
  ];
  const several = {
    train: { ...side('/d/*.csv', [2, 3, 4, 6, 7]), parts },
    validation: side('/d/dev.csv', [2]),
  };

  it('is named with its file', () => {
    expect(findRow(several, { row: 'b.csv:3' }, false)).toEqual({ split: 'train', index: 4 });
    expect(nameOfRow(several.train, 4)).toBe('b.csv:3');
    expect(nameOfRow(several.validation, 0)).toBe('2');
    expect(failure('usage', () => findRow(several, { row: '3' }, false))).toBe(
      '/d/*.csv names 2 files, so a number alone does not name a row. | Name the file too: a.csv:3.',
    );
  });

  it('ends with its file', () => {
    expect(failure('usage', () => findRow(several, { row: 'a.csv:5' }, false))).toContain(
      'a.csv ends with line 4, so it has no line 5.',
    );
  });
});
