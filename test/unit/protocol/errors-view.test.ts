import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chosen, listsOf, type Choice, tellingOrder } from '../../../src/protocol/answers/examples';
import {
  confusedPairs,
  confusionOf,
  mostConfused,
  labelSlices,
  worstLabels,
} from '../../../src/protocol/answers/label';
import { accuracyOf, binOf, lengthBins, lengthSlices } from '../../../src/protocol/answers/slices';
import { spansByExample, spanColumns } from '../../../src/protocol/answers/spans';
import {
  foundCounts,
  ANSWER_FOUND,
  ANSWER_MISSED,
  ANSWER_SPURIOUS,
} from '../../../src/protocol/answers/found';
import { numberErrors, valueBins } from '../../../src/protocol/answers/number';
import { wrongOf } from '../../../src/protocol/answers/kinds';
import {
  columns,
  labelSetPredictions,
  numberPredictions,
  predictions,
  SPAN_LABELS,
  spanPredictions,
  type Example,
} from './columns';

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

  it('starts with the most informative one', () => {
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

describe('numbers', () => {
  const number = fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ min: -1e3, max: 1e3, noNaN: true }));
  const numbers = fc.array(fc.record({ value: number, predicted: number }), { minLength: 1, maxLength: 80 });

  it('are in bins of which each has some, and that have every number once', () =>
    fc.assert(
      fc.property(numbers, (all) => {
        const { value } = numberPredictions(all).columns;
        const bins = valueBins(value);
        expect(bins.length).toBeLessThanOrEqual(5);
        const counts = bins.map((_, i) => value.filter((v) => binOf(bins, v) === i).length);
        expect(Math.min(...counts)).toBeGreaterThan(0);
        expect(sum(counts)).toBe(all.length);
        for (const v of value) {
          const bin = bins[binOf(bins, v)];
          expect(v >= bin.from && v <= bin.to).toBe(true);
        }
        for (const [i, bin] of bins.slice(1).entries()) expect(bin.from).toBeGreaterThan(bins[i].to);
      }),
    ));

  it('have errors per slice that add up to the whole', () =>
    fc.assert(
      fc.property(numbers, (all) => {
        const { columns: c } = numberPredictions(all);
        const [whole] = numberErrors(c, 1, () => 0);
        const parts = numberErrors(c, 3, (i) => i % 3).filter((p) => p.count > 0);
        expect(sum(parts.map((p) => p.count))).toBe(all.length);
        expect(sum(parts.map((p) => p.bias * p.count))).toBeCloseTo(whole.bias * all.length, 6);
        expect(sum(parts.map((p) => p.rmse ** 2 * p.count)) / all.length).toBeCloseTo(whole.rmse ** 2, 4);
        expect(Math.abs(whole.bias)).toBeLessThanOrEqual(whole.rmse * (1 + 1e-9) + 1e-12);
      }),
    ));

  it('are positive in their mean error where too much is predicted', () => {
    const errors = numberErrors(
      numberPredictions([
        { value: 1, predicted: 2 },
        { value: 1, predicted: 4 },
        { value: 5, predicted: 5 },
      ]).columns,
      3,
      (i) => Number(i === 2),
    );
    expect(errors).toEqual([
      { count: 2, rmse: Math.sqrt(5), bias: 2 },
      { count: 1, rmse: 0, bias: 0 },
      { count: 0, rmse: NaN, bias: NaN },
    ]);
  });

  it('are never wrong, and start with the one that is furthest off', () => {
    const p = numberPredictions([
      { value: 1, predicted: 1.1 },
      { value: 1, predicted: 3 },
      { value: 1, predicted: -0.5 },
    ]);
    expect([...wrongOf(p)]).toEqual([0, 0, 0]);
    expect(tellingOrder(p.columns, wrongOf(p))).toEqual([1, 2, 0]);
    expect(listsOf('number')).toEqual(['all', 'text']);
    expect(chosen(p.columns, wrongOf(p), new Map(), { list: 'all', order: 'loss' })).toEqual([1, 2, 0]);
  });
});

describe('several labels', () => {
  it('are counted like spans; an example is wrong if any label is missed or spurious', () => {
    const p = labelSetPredictions([
      { truth: ['a'], shares: { a: 0.9, b: 0.1 } },
      { truth: ['a', 'b'], shares: { a: 0.8, b: 0.3 } },
      { truth: [], shares: { a: 0.6, b: 0.4 } },
      { truth: [], shares: { a: 0.5, b: 0.4 } },
    ]);
    expect(foundCounts(p.sets, 2)).toMatchObject([
      { label: 1, found: 0, missed: 1, spurious: 0, f1: 0 },
      { label: 0, found: 2, missed: 0, spurious: 1, f1: 0.8 },
    ]);
    expect([...wrongOf(p)]).toEqual([0, 1, 1, 0]);
  });
});
