import { describe, expect, it } from 'vitest';
import type { Dataset, TextExample } from '../../../src/data/dataset';
import { labelPredictions } from '../../../src/tasks/answers';
import { excerpt, excerptsOf } from '../../../src/training/predictions/excerpts';

interface Labeled extends TextExample {
  label: number;
}
const example = (label: number, row: number, tokens: number, truncated?: true): Labeled => ({
  size: tokens,
  ids: new Int32Array(tokens),
  label,
  row,
  ...(truncated && { truncated }),
});
const rows = ['first', 'left out', 'third\n\ttext', 'fourth'].map((text, i) => ({
  text,
  label: '',
  line: 10 * i + 2,
}));
const dataset: Dataset<Labeled> = {
  examples: [example(0, 0, 4), example(2, 2, 7, true), example(1, 3, 5)],
  truncatedCount: 1,
  skipped: [],
};
const split = { path: 'v.jsonl', rows, dataset, skipped: [] };
const logits = [Float32Array.of(2, 1, 0), Float32Array.of(0, 3, 1), Float32Array.of(1, 1, 1)];
const labels = ['a', 'b', 'c'];

describe('the predictions of a checkpoint', () => {
  it('identify each example by its line', () => {
    const answers = labelPredictions(split, { labels }, logits);
    expect([answers.answer, answers.labels]).toEqual(['label', labels]);
    const c = answers.columns;
    const e = Math.exp;
    expect([...c.line]).toEqual([2, 22, 32]);
    expect([...c.label]).toEqual([0, 2, 1]);
    expect([...c.predicted]).toEqual([0, 1, 0]);
    const [first, second] = [e(2) + e(1) + 1, 1 + e(3) + e(1)];
    [e(2) / first, e(3) / second, 1 / 3].forEach((p, i) => expect(c.probability[i]).toBeCloseTo(p, 6));
    [e(2) / first, e(1) / second, 1 / 3].forEach((p, i) => expect(c.truth[i]).toBeCloseTo(p, 6));
    c.truth.forEach((p, i) => expect(c.loss[i]).toBeCloseTo(-Math.log(p), 5));
    [(e(2) - e(1)) / first, (e(3) - e(1)) / second, 0].forEach((m, i) =>
      expect(c.margin[i]).toBeCloseTo(m, 6),
    );
    expect([...c.tokens]).toEqual([4, 7, 5]);
    expect([...c.cut]).toEqual([0, 1, 0]);
  });

  it('include the text of the most informative examples, in that order', () =>
    expect(excerptsOf(split, labelPredictions(split, { labels }, logits))).toEqual([
      { example: 1, text: 'third text' },
      { example: 2, text: 'fourth' },
      { example: 0, text: 'first' },
    ]));

  it('include the start of a long text, without splitting a character', () => {
    expect(excerpt(' one\r\n two ')).toBe('one two');
    expect(excerpt('x'.repeat(280))).toBe('x'.repeat(280));
    expect(excerpt('x'.repeat(281))).toBe(`${'x'.repeat(279)}…`);
    expect(excerpt(`${'x'.repeat(278)}😀 and more`)).toBe(`${'x'.repeat(278)}…`);
    expect(excerpt(`a${' '.repeat(9999)}b`)).toBe('a…');
  });
});
