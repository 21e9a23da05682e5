import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chosen, type Choice } from '../../../src/protocol/errors-view/choice';
import { confusedPairs, confusionOf, mostConfused } from '../../../src/protocol/errors-view/confusion';
import {
  accuracyOf,
  labelSlices,
  lengthBins,
  lengthSlices,
  worstLabels,
} from '../../../src/protocol/errors-view/slices';
import { spansByExample } from '../../../src/protocol/errors-view/example-spans';
import { foundCounts } from '../../../src/protocol/errors-view/found-counts';
import { tellingOrder } from '../../../src/protocol/errors-view/telling';
import { wrongOf } from '../../../src/protocol/errors-view/wrong';
import { ANSWER_FOUND, ANSWER_MISSED, ANSWER_SPURIOUS, spanColumns } from '../../../src/protocol/predictions';
import { columns, predictions, SPAN_LABELS, spanPredictions, type Example } from './columns';

const LABELS = 4;
const example = fc
  .record({
    label: fc.nat(LABELS - 1),
    weights: fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: LABELS, maxLength: LABELS }),
    tokens: fc.integer({ min: 1, max: 600 }),
    cut: fc.boolean(),
  })
  .map(({ weights, ...rest }): Example => {
    const sum = weights.reduce((a, b) => a + b, 0);
    return { ...rest, shares: weights.map((w) => w / sum) };
  });
const examples = fc.array(example, { minLength: 1, maxLength: 80 });
const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);

describe('the confusion matrix', () => {
  it('counts every example once, with the correct ones on the diagonal', () =>
    fc.assert(
      fc.property(examples, (all) => {
        const c = columns(all);
        const { counts } = confusionOf(c, LABELS);
        expect(sum(counts)).toBe(all.length);
        const right = all.length - sum(wrongOf(predictions(all)));
        expect(sum([0, 1, 2, 3].map((k) => counts[k * LABELS + k]))).toBe(right);
        const pairs = confusedPairs({ labels: LABELS, counts });
        expect(sum(pairs.map((p) => p.count))).toBe(all.length - right);
        for (const p of pairs)
          expect(p.share).toBeCloseTo(p.count / all.filter((e) => e.label === p.label).length, 12);
        expect(pairs.map((p) => p.count)).toEqual(pairs.map((p) => p.count).sort((a, b) => b - a));
      }),
    ));

  it('finds the labels that are confused most in either direction and keeps their order', () => {
    const counts = new Uint32Array(25);
    counts[3 * 5 + 1] = 9;
    counts[0 * 5 + 4] = 2;
    counts[2 * 5 + 2] = 100;
    expect(mostConfused({ labels: 5, counts }, 2)).toEqual([1, 3]);
    expect(mostConfused({ labels: 5, counts }, 4)).toEqual([0, 1, 3, 4]);
    expect(mostConfused({ labels: 5, counts }, 9)).toEqual([0, 1, 2, 3, 4]);
  });
});

describe('slices of the examples', () => {
  it('contain every example once and add up to the totals', () =>
    fc.assert(
      fc.property(examples, (all) => {
        const c = columns(all);
        const wrong = wrongOf(predictions(all));
        const bins = lengthBins(c.tokens);
        for (const slices of [labelSlices(c, wrong, LABELS), lengthSlices(c, wrong, bins)]) {
          expect(sum(slices.map((s) => s.count))).toBe(all.length);
          expect(sum(slices.map((s) => s.right))).toBe(all.length - sum(wrong));
          expect(sum(slices.map((s) => s.loss * s.count))).toBeCloseTo(sum(c.loss), 8);
          expect(sum(slices.map((s) => s.cut))).toBe(all.filter((e) => e.cut).length);
        }
      }),
    ));

  it('by length are few, consecutive and not empty', () =>
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 300 }),
        (lengths) => {
          const bins = lengthBins(Uint32Array.from(lengths));
          expect(bins.length).toBeLessThanOrEqual(5);
          expect(bins[0].from).toBe(Math.min(...lengths));
          expect(bins.at(-1)!.to).toBe(Math.max(...lengths));
          bins.forEach(({ from, to }, i) => {
            expect(lengths.some((n) => n >= from && n <= to)).toBe(true);
            if (i > 0) expect(from).toBe(bins[i - 1].to + 1);
          });
        },
      ),
    ));

  it('by length have round edges, except for a length that many examples have', () => {
    const spread = Uint32Array.from({ length: 1000 }, (_, i) => 7 + ((i * 37) % 493));
    expect(lengthBins(spread).map((b) => b.from)).toEqual([7, 110, 200, 300, 400]);
    const cut = Uint32Array.from({ length: 1000 }, (_, i) => Math.min(48, 11 + (i % 97)));
    expect(lengthBins(cut)).toEqual([
      { from: 11, to: 29 },
      { from: 30, to: 47 },
      { from: 48, to: 48 },
    ]);
    expect(lengthBins(Uint32Array.of(9, 9, 9))).toEqual([{ from: 9, to: 9 }]);
  });

  it('by label start with the worst, put labels with few examples last and omit those without any', () => {
    const of = (label: number, count: number, right: number): Example[] =>
      Array.from({ length: count }, (_, i) => ({
        label,
        shares: [0, 1, 2, 3].map((k) => (k === (i < right ? label : (label + 1) % 4) ? 0.7 : 0.1)),
      }));
    const made = predictions([...of(0, 40, 30), ...of(1, 60, 12), ...of(3, 2, 0)]);
    const slices = labelSlices(made.columns, wrongOf(made), LABELS);
    expect(worstLabels(slices)).toEqual([1, 0, 3]);
    expect(slices.map(accuracyOf)).toEqual([0.75, 0.2, NaN, 0]);
  });
});

describe('the list of examples', () => {
  const all: Example[] = [
    { label: 0, shares: [0.9, 0.1], tokens: 5 },
    { label: 0, shares: [0.3, 0.7], tokens: 9 },
    { label: 1, shares: [0.55, 0.45], tokens: 12 },
    { label: 1, shares: [0.48, 0.52], tokens: 20 },
    { label: 1, shares: [0.99, 0.01], tokens: 9 },
  ];
  const c = columns(all);
  const wrong = wrongOf(predictions(all));
  const texts = new Map([
    [1, { example: 1, text: 'The Cat' }],
    [4, { example: 4, text: 'a dog', pair: 'and a Bird' }],
  ]);
  const list = (choice: Partial<Choice>) =>
    chosen(c, wrong, texts, { list: 'wrong', order: 'loss', ...choice });

  it('starts with the most telling one', () => {
    expect(tellingOrder(c, wrong)).toEqual([4, 1, 2, 3, 0]);
    expect(list({})).toEqual([4, 1, 2]);
    expect(list({ list: 'unsure', order: 'margin' })).toEqual([3, 2, 1, 0, 4]);
    expect(list({ order: 'margin' })).toEqual([2, 1, 4]);
    expect(list({ list: 'text' })).toEqual([4, 1]);
  });

  it('can be filtered by label, length and words', () => {
    const label = (l: number) => (i: number) => c.label[i] === l;
    expect(list({ answer: label(1) })).toEqual([4, 2]);
    expect(list({ answer: (i) => c.predicted[i] === 1 })).toEqual([1]);
    expect(list({ list: 'unsure', answer: (i) => label(1)(i) && c.predicted[i] === 1 })).toEqual([3]);
    expect(list({ bin: { from: 9, to: 9 } })).toEqual([4, 1]);
    expect(list({ search: ' cat' })).toEqual([1]);
    expect(list({ search: '  ' })).toEqual([4, 1, 2]);
    expect(list({ search: 'none' })).toEqual([]);
  });

  it('contains exactly the examples that pass every filter', () =>
    fc.assert(
      fc.property(examples, fc.nat(LABELS - 1), fc.boolean(), (many, label, all) => {
        const own = columns(many);
        const wrong = wrongOf(predictions(many));
        const answer = (i: number) => many[i].label === label;
        const list = all ? 'unsure' : 'wrong';
        const found = chosen(own, wrong, new Map(), { list, order: 'margin', answer });
        const suits = [...many.keys()].filter((i) => answer(i) && (all || wrong[i] === 1));
        expect([...found].sort((a, b) => a - b)).toEqual(suits);
        const margins = found.map((i) => own.margin[i]);
        expect(margins).toEqual([...margins].sort((a, b) => a - b));
      }),
    ));
});

describe('a wrong example', () => {
  it('has another label than the true one', () =>
    fc.assert(
      fc.property(examples, (all) => {
        const made = predictions(all);
        const { label, predicted } = made.columns;
        expect([...wrongOf(made)]).toEqual(all.map((_, i) => (label[i] === predicted[i] ? 0 : 1)));
      }),
    ));

  it('has a missed or spurious span, even beside one that is found', () => {
    const texts = [
      'no span',
      '=[Oslo LOC]',
      '=[Oslo LOC] or -[Rome LOC]',
      '+[Oslo LOC]',
      '-[+[Rome LOC] PER]',
    ];
    const made = spanPredictions(texts.map((text) => ({ text })));
    expect([...wrongOf(made)]).toEqual([0, 0, 1, 1, 1]);
    expect(tellingOrder(made.columns, wrongOf(made))).toEqual([4, 3, 2, 1, 0]);
  });
});

describe('spans', () => {
  it('are counted by type, worst first, without types that do not occur', () => {
    const made = spanPredictions([
      { text: '=[Oslo LOC] -[Rome LOC] =[Bonn LOC] +[Acme LOC]' },
      { text: '-[Ada PER] and +[Bob PER] met +[Eve PER]' },
    ]);
    const [per, loc, ...others] = foundCounts(made.spans, SPAN_LABELS.length);
    expect(others).toEqual([]);
    expect(per).toEqual({ label: 2, found: 0, missed: 1, spurious: 2, precision: 0, recall: 0, f1: 0 });
    expect(loc).toEqual({
      label: 0,
      found: 2,
      missed: 1,
      spurious: 1,
      precision: 2 / 3,
      recall: 2 / 3,
      f1: 2 / 3,
    });
  });

  it('have no precision if none is predicted, and no recall if none is in the data', () => {
    const of = (text: string) => foundCounts(spanPredictions([{ text }]).spans, SPAN_LABELS.length)[0];
    expect(of('-[Ada PER]')).toEqual({ label: 2, found: 0, missed: 1, spurious: 0, recall: 0, f1: 0 });
    expect(of('+[Ada PER]')).toEqual({ label: 2, found: 0, missed: 0, spurious: 1, precision: 0, f1: 0 });
    expect(foundCounts(spanPredictions([{ text: 'none' }]).spans, 3)).toEqual([]);
  });

  it('have an F1 that follows from precision and recall', () =>
    fc.assert(
      fc.property(fc.array(fc.record({ label: fc.nat(2), found: fc.nat(2) }), { maxLength: 60 }), (all) => {
        const columns = { label: all.map((s) => s.label), found: all.map((s) => s.found) };
        const zeros = all.map(() => 0);
        const made = { ...columns, example: zeros, start: zeros, end: zeros };
        const types = foundCounts(spanColumns(made), 3);
        expect(sum(types.map((t) => t.found + t.missed + t.spurious))).toBe(all.length);
        for (const { precision = 0, recall = 0, f1 } of types)
          expect(f1).toBeCloseTo((2 * precision * recall) / (precision + recall || 1), 12);
        expect(types.map((t) => t.f1)).toEqual(types.map((t) => t.f1).sort((a, b) => a - b));
      }),
    ));

  it('of an example are in the order of its text', () => {
    const { spans } = spanPredictions([
      { text: 'none' },
      { text: '-[+[New York LOC] City LOC] has =[Acme ORG]' },
    ]);
    expect([...spansByExample(spans).entries()]).toEqual([
      [
        1,
        [
          { start: 0, end: 8, label: 0, found: ANSWER_SPURIOUS },
          { start: 0, end: 13, label: 0, found: ANSWER_MISSED },
          { start: 18, end: 22, label: 1, found: ANSWER_FOUND },
        ],
      ],
    ]);
  });
});
