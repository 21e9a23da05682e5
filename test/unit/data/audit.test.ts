import { describe, expect, it } from 'vitest';
import { audited, findDuplicates, labelCounts, sharedRows, tokenLengths } from '../../../src/data/audit';
import type { Dataset, Example } from '../../../src/data/dataset';
import type { Row } from '../../../src/data/table/rows';

const dataset = (lengths: number[]): Dataset<Example> => ({
  examples: lengths.map((size, row) => ({ size, row })),
  truncatedCount: 0,
  skipped: [],
});
const rows = (...texts: [text: string, label?: string][]) =>
  audited(texts.map(([text, label = 'a'], i): Row => ({ text, label, line: i + 1 })));

describe('the data audit', () => {
  it('counts every label, including one without examples', () => {
    expect(labelCounts([1, 1, 0], ['no', 'yes', 'maybe'])).toEqual({ no: 1, yes: 2, maybe: 0 });
  });

  it('computes length percentiles by nearest rank, in numeric order', () => {
    const data = dataset(Array.from({ length: 100 }, (_, i) => 100 - i));
    expect(tokenLengths(data)).toEqual({ min: 1, median: 50, mean: 50.5, p90: 90, p99: 99, max: 100 });
    expect(tokenLengths(dataset([9, 10]))).toMatchObject({ min: 9, median: 9, p90: 10, max: 10 });
  });

  it('finds equal texts across the splits and within training, ignoring white space', () => {
    const train = rows(['a  cat', 'pet'], ['a dog', 'pet'], [' a cat ', 'pet'], ['A cat', 'pet']);
    const validation = rows(['a\tcat', 'pet'], ['a cow'], ['a dog\n', 'pet'], ['a cat', 'other']);
    expect(findDuplicates(train, validation)).toEqual({
      acrossSplits: {
        count: 3,
        first: [
          { train: 1, validation: 1 },
          { train: 2, validation: 3 },
          { train: 1, validation: 4 },
        ],
      },
      withinTrain: 1,
      conflicts: { count: 0, first: [] },
    });
  });

  it('tells questions with other choices apart', () => {
    const ask = (line: number, label: string, ...choices: string[]): Row => ({
      text: 'q',
      label,
      choices,
      line,
    });
    const train = audited([ask(1, 'x', 'x', 'y'), ask(2, 'z', 'y', 'z'), ask(3, 'y', 'x', ' y')]);
    const { withinTrain, conflicts } = findDuplicates(train, rows(['q']));
    expect(withinTrain).toBe(1);
    expect(conflicts.first).toEqual([{ lines: [1, 3], labels: ['x', 'y'] }]);
  });

  it('counts a text with several labels once and shows the first few', () => {
    const train = rows(['x', 'a'], ['x', 'b'], ['x', 'c'], ['y', 'a'], ['y', 'a'], ['y', 'b']);
    const { withinTrain, conflicts } = findDuplicates(train, rows());
    expect(withinTrain).toBe(4);
    expect(conflicts).toEqual({
      count: 2,
      first: [
        { lines: [1, 2], labels: ['a', 'b'] },
        { lines: [4, 6], labels: ['a', 'b'] },
      ],
    });
    const many = rows(...Array.from({ length: 20 }, (_, i): [string, string] => [`t${i >> 1}`, `${i % 2}`]));
    expect(findDuplicates(many, rows()).conflicts).toMatchObject({ count: 10, first: { length: 3 } });
  });
});

it('finds the texts of a set that are in other data, each with its first place there', () => {
  const others = rows(['a cow'], ['a  cat'], ['a cat']);
  expect(sharedRows(rows(['a dog'], [' a cat'], ['a\ncat'], ['a cow', 'b']), others)).toEqual({
    count: 3,
    first: [
      { line: 2, other: 2 },
      { line: 3, other: 2 },
      { line: 4, other: 1 },
    ],
  });
  expect(sharedRows(rows(['a dog']), others)).toEqual({ count: 0, first: [] });
});
