import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inferLabels, labelIndex, withKnownLabels } from '../../../src/data/labels';
import type { Row } from '../../../src/data/table/rows';
import { splitRows } from '../../../src/data/split';
import { failure } from './support';

const rowsOf = (labels: readonly string[]): Row[] =>
  labels.map((label, i) => ({ text: `text ${i}`, label, line: i + 2 }));

describe('labels', () => {
  it('are sorted, numerically if all are integers', () => {
    expect(inferLabels('f', ['b', 'a', 'B', 'é', 'a'])).toEqual(['B', 'a', 'b', 'é']);
    expect(inferLabels('f', ['10', '9', '-1', '9'])).toEqual(['-1', '9', '10']);
    expect(inferLabels('f', ['10', '9', 'x'])).toEqual(['10', '9', 'x']);
    expect([...labelIndex(['b', 'a'])]).toEqual([
      ['b', 0],
      ['a', 1],
    ]);
  });

  it('must be at least two', () => {
    expect(failure('labels', () => inferLabels('f.csv', ['a', 'a']))).toContain(
      'f.csv has only the label "a"; two or more are needed',
    );
  });

  it('of validation rows must occur in training', () => {
    const read = { rows: rowsOf(['a', 'games', 'gamse']), skipped: [{ line: 9, reason: 'x' }] };
    expect(failure('data', () => withKnownLabels('v.csv', read, ['a', 'games'], 'fail'))).toContain(
      'v.csv:4: the label "gamse" is not among the 2 that are trained (nearest: "games")',
    );
    const numbers = failure('data', () => withKnownLabels('n.csv', read, ['1', '2'], 'fail'));
    expect(numbers).not.toContain('nearest: ');
    const kept = withKnownLabels('v.csv', read, ['a', 'games'], 'skip');
    expect(kept.rows.map((r) => r.line)).toEqual([2, 3]);
    expect(kept.skipped.map((r) => r.line)).toEqual([9, 4]);
    expect(failure('emptyData', () => withKnownLabels('v.csv', read, ['z'], 'skip'))).toContain('all 4 rows');
  });

  it('must all be known if a row has several', () => {
    const read = { rows: rowsOf(['B-PER O', 'O B-LOX B-GPE', 'O']), skipped: [] };
    const labelsOf = ({ label }: Row) => label.split(' ');
    const known = ['B-PER', 'B-LOC', 'O'];
    expect(failure('data', () => withKnownLabels('v.jsonl', read, known, 'fail', labelsOf))).toContain(
      'v.jsonl:3: the label "B-LOX" is not among the 3 that are trained (nearest: "B-LOC")',
    );
    const kept = withKnownLabels('v.jsonl', read, known, 'skip', labelsOf);
    expect(kept.rows.map((r) => r.line)).toEqual([2, 4]);
    expect(kept.skipped).toMatchObject([{ line: 3, unknownLabel: 'B-LOX' }]);
  });
});

describe('splitRows', () => {
  const labels = fc
    .array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 2, maxLength: 60 })
    .filter((l) => new Set(l).size < l.length);
  const fraction = fc.double({ min: 0.01, max: 0.99, noNaN: true });

  it('puts every row on one side in file order, with neither side empty and each label in proportion', () => {
    fc.assert(
      fc.property(labels, fraction, fc.nat(), (names, share, seed) => {
        const rows = rowsOf(names);
        const { train, validation } = splitRows('f', rows, share, seed);
        expect([...train, ...validation].toSorted((a, b) => a.line - b.line)).toEqual(rows);
        for (const side of [train, validation]) {
          expect(side.length).toBeGreaterThan(0);
          expect(side).toEqual(side.toSorted((a, b) => a.line - b.line));
        }
        for (const label of new Set(names)) {
          const count = (side: Row[]): number => side.filter((r) => r.label === label).length;
          expect(count(train)).toBeGreaterThan(0);
          expect(Math.abs(count(validation) - share * count(rows))).toBeLessThanOrEqual(1 + 1e-9);
        }
        expect(splitRows('f', rows, share, seed)).toEqual({ train, validation });
      }),
      { seed: 1 },
    );
  });

  it('holds out the right number of rows, and different rows for a different seed', () => {
    const rows = rowsOf(Array.from({ length: 100 }, (_, i) => 'abcdefg'[i % 7]!));
    const { validation } = splitRows('f', rows, 0.1, 1);
    expect(validation).toHaveLength(10);
    expect(splitRows('f', rows, 0.1, 2).validation).not.toEqual(validation);
  });

  it('holds out a share of each stratum, regardless of the labels', () => {
    const rows = rowsOf(Array.from({ length: 40 }, (_, i) => `unique ${i}`));
    const whole = splitRows('f', rows, 0.25, 1, () => '');
    expect(whole.validation).toHaveLength(10);
    expect([...whole.train, ...whole.validation].toSorted((a, b) => a.line - b.line)).toEqual(rows);
    const { validation } = splitRows('f', rows, 0.25, 1, ({ line }) => (line < 22 ? 'early' : 'late'));
    expect(validation.map((r) => r.line < 22)).toEqual([...Array(5).fill(true), ...Array(5).fill(false)]);
  });

  it('rejects data that cannot be split', () => {
    expect(failure('data', () => splitRows('f.csv', rowsOf(['a']), 0.5, 1, () => ''))).toContain(
      'f.csv has only one row, so none can be held out',
    );
    expect(failure('data', () => splitRows('f.csv', rowsOf(['a', 'b']), 0.5, 1))).toContain(
      'f.csv: no label has two rows',
    );
    expect(failure('experiment', () => splitRows('f.csv', rowsOf(['a', 'a']), 1, 1))).toContain(
      'data.validationFraction is 1',
    );
  });
});
