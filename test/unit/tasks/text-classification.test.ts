import { describe, expect, it } from 'vitest';
import type { PreflightData } from '../../../src/protocol/preflight';
import { DType } from '../../../src/graph/dtype';
import { LABELS } from '../../../src/tasks/task-graph';
import { modelInputs, batchFeeds } from '../../../src/tasks/task-data';
import { textClassification as kind } from '../../../src/tasks/text-classification';
import { failure, rejection } from '../data/support';
import { taskLab, textModel } from './lab';

const { spec, write } = taskLab('text-classification');
const csv = (...rows: [text: string, label: string][]) =>
  `text,label\n${rows.map(([text, label]) => `"${text}",${label}\n`).join('')}`;
const train = write(
  'train.csv',
  csv(['the cats', 'pets'], ['cafe', 'food'], ['the cat', 'pets'], ['the unaffable cat', 'pets']),
);
const validation = write('validation.csv', csv(['cats !', 'pets'], ['the cafe', 'food'], ['!', 'food']));
const experiment = (data: object = {}, more?: object) => spec({ train, validation, ...data }, more);

describe('the data of text classification', async () => {
  const data = await kind.load(experiment(), textModel);

  it('has the labels of the training rows and, with each text, the index of its label', async () => {
    expect(data.labels).toEqual(['food', 'pets']);
    expect(data.train.dataset.examples.map((e) => [e.label, e.row, [...e.ids]])).toEqual([
      [1, 0, [2, 5, 7, 3]],
      [0, 1, [2, 20, 3]],
      [1, 2, [2, 5, 6, 3]],
      [1, 3, [2, 5, 11, 12, 13, 6, 3]],
    ]);
    expect(data.validation.dataset.examples.map((e) => e.label)).toEqual([1, 0, 0]);
    // A trained run keeps its order of the labels.
    const again = await kind.load(experiment(), textModel, { labels: ['pets', 'food'] });
    expect(again.train.dataset.examples.map((e) => e.label)).toEqual([0, 1, 0, 0]);
  });

  it('comes with a warning about truncated texts, unless model.maxLength was chosen', async () => {
    const long = write('long.csv', csv(['cats '.repeat(200).trim(), 'pets'], ['cafe', 'food']));
    const { model, ...rest } = spec({ train: long, validation });
    const of = async (maxLength: number) =>
      (await kind.load({ ...rest, model: { ...model, maxLength } }, textModel)).warnings;
    expect(await of(128)).toEqual([
      '50% of the training texts are longer than model.maxLength (128 tokens) and are truncated.',
    ]);
    expect(await of(48)).toEqual([]);
  });

  it('becomes feeds with one label for each text', async () => {
    const feeds = await batchFeeds(kind, modelInputs(textModel), data.train.dataset, [3, 1], 9);
    expect(Object.keys(feeds)).toEqual(['input_ids', 'attention_mask', LABELS]);
    expect(feeds[LABELS]).toEqual({ dtype: DType.int64, dims: [2], data: BigInt64Array.of(1n, 0n) });
    expect(feeds.input_ids.dims).toEqual([2, 9]);
    expect(data.train.dataset.examples.map(kind.weight)).toEqual([1, 1, 1, 1]);
    expect(
      (await batchFeeds(kind, modelInputs(textModel), data.train.dataset, [0, 1])).input_ids.dims,
    ).toEqual([2, 4]);
  });

  it('has counts for each label and the most frequent one as baseline', () => {
    expect(kind.facts(data.train.dataset.examples, data)).toEqual({ labels: { food: 1, pets: 3 } });
    expect(kind.baseline(data)).toEqual({ answer: 'always "pets"', metric: 'accuracy', value: 1 / 3 });
    expect(kind.guessLoss({ ...data, labels: ['a', 'b', 'c', 'd'] })).toBeCloseTo(Math.log(4), 12);
  });

  it('has the right baseline if labels are numbers', async () => {
    const numbers = write('numbers.csv', csv(['the', '-1'], ['cat', '-1'], ['cats', '0'], ['!', '10']));
    const counted = await kind.load(spec({ train: numbers, validation: numbers }), textModel);
    expect(counted.labels).toEqual(['-1', '0', '10']);
    expect(kind.baseline(counted)).toMatchObject({ answer: 'always "-1"', value: 0.5 });
  });

  it('is scored by accuracy, three kinds of F1 and MCC', () => {
    const scorer = kind.scorer(data);
    for (const e of data.validation.dataset.examples) scorer.add(e, Float32Array.of(0, 0.5));
    // Always pets, which is true of one in three: F1 of pets, which is the second label, and of food.
    const [pets, food] = [2 / 4, 0];
    expect(scorer.metrics()).toEqual({
      accuracy: 1 / 3,
      f1: pets,
      macroF1: (pets + food) / 2,
      weightedF1: expect.closeTo((1 * pets + 2 * food) / 3, 12) as number,
      matthews: 0,
      examples: 3,
    });
  });

  it('is split label by label', async () => {
    const rows = Array.from({ length: 40 }, (_, i): [string, string] => ['cats', i < 36 ? 'pets' : 'food']);
    const many = write('many.csv', csv(...rows));
    const split = await kind.load(spec({ train: many, validationFraction: 0.25 }), textModel);
    const counts = kind.facts(split.validation.dataset.examples, split).labels;
    expect(counts).toEqual({ food: 1, pets: 9 });
  });

  it('provides validation rows as samples, without spans', async () =>
    expect((await kind.samples(experiment(), data)).at(0)).toEqual({
      text: 'cats !',
      label: 'pets',
      file: 'validation.csv',
      line: 2,
    }));

  it('answers a question with the probability of each label', async () => {
    const { example, answer } = kind.ask(
      { text: 'the cats' },
      await kind.withoutRows(experiment(), textModel, data),
      12,
    );
    expect([...example.ids]).toEqual([2, 5, 7, 3]);
    const { probabilities } = answer(Float32Array.of(0, Math.log(3)));
    expect(probabilities).toEqual([expect.closeTo(0.25, 6), expect.closeTo(0.75, 6)]);
  });
});

describe('pairs of texts', () => {
  const pairs = write('pairs.csv', 'a,b,label\nthe cats,cafe,yes\nthe cat,"the cats, playing",no\n');
  const paired = (data: object = {}) =>
    spec({ train: pairs, validation: pairs, textColumn: 'a', textPairColumn: 'b', ...data });

  it("are read in the tokenizer's own format, with a segment for each text", async () => {
    const [first] = (await kind.load(paired(), textModel)).train.dataset.examples;
    expect([...first.ids]).toEqual([2, 5, 7, 3, 20, 3]);
    expect([...first.typeIds!]).toEqual([0, 0, 0, 0, 1, 1]);
    const trained = await kind.withoutRows(paired(), textModel, { labels: ['no', 'yes'] });
    expect((await kind.samples(paired(), trained)).at(0)).toEqual({
      text: 'the cats',
      pair: 'cafe',
      label: 'yes',
      file: 'pairs.csv',
      line: 2,
    });
    expect([...kind.ask({ text: 'the cats', pair: 'cafe' }, trained, 12).example.ids]).toEqual([
      ...first.ids,
    ]);
  });

  it('need both columns, and both texts in every row', async () => {
    expect(await rejection('data', kind.load(paired({ textPairColumn: 'c' }), textModel))).toContain(
      'pairs.csv has no column "c"; it has "a", "b", "label".',
    );
    const gap = write('gap.csv', 'a,b,label\nthe cats,,yes\n');
    expect(await rejection('data', kind.load(paired({ train: gap }), textModel))).toContain(
      'gap.csv:2: "b" is empty.',
    );
  });
});

describe('the findings of text classification', () => {
  const line = (train: Record<string, number>, validation: Record<string, number>): PreflightData => {
    const split = (labels: Record<string, number>) =>
      ({ examples: Object.values(labels).reduce((a, b) => a + b), labels }) as PreflightData['train'];
    return {
      kind: 'data',
      train: split(train),
      validation: split(validation),
      labels: Object.keys(train),
      duplicates: {
        acrossSplits: { count: 0, first: [] },
        withinTrain: 0,
        conflicts: { count: 0, first: [] },
      },
    };
  };

  it('include a label of nearly all rows, with a hint that fits the metric', () => {
    const lopsided = line({ ham: 90, spam: 10 }, { ham: 9, spam: 1 });
    expect(kind.findings(experiment(), lopsided)).toEqual([
      {
        key: 'data.train',
        message:
          '90.0% of the training rows have the label "ham": a model that always predicts it has a high accuracy.',
        hint: 'Set training.metric to "f1", "macroF1" or "matthews", or balance the data.',
      },
    ]);
    const hintFor = (metric: string) =>
      kind.findings(experiment({}, { training: { metric } }), lopsided)[0].hint;
    expect(hintFor('f1')).toBe('Judge by F1 or MCC, not by accuracy.');
    expect(hintFor('weightedF1')).toContain('Set training.metric to ');
    expect(kind.findings(experiment(), line({ ham: 89, spam: 11 }, { ham: 9, spam: 1 }))).toEqual([]);
  });

  it('include rare labels that look like misspellings of frequent ones', () => {
    const train = { positive: 50, negative: 50, postive: 1, Negative: 2, neutral: 4, a1: 90, a2: 1, pos: 1 };
    const all = Object.fromEntries(Object.keys(train).map((label) => [label, 1]));
    expect(kind.findings(experiment(), line(train, all))).toEqual([
      {
        key: 'data.train',
        message:
          'Some labels look like misspellings of others: "postive" (1 row) like "positive", "Negative" (2 rows) like "negative".',
        hint: 'Correct them in the data: otherwise, each is a separate class.',
      },
    ]);
  });

  it('include labels with two letters swapped, or one more in a short name', () => {
    const train = { python: 80, pyhton: 1, libs: 90, lib: 2, admin: 40, damn: 1 };
    const [found] = kind.findings(experiment(), line(train, train));
    expect(found.message).toBe(
      'Some labels look like misspellings of others: "pyhton" (1 row) like "python", "lib" (2 rows) like "libs".',
    );
  });

  it('include a column that hardly repeats', () => {
    const ids = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`${i}`, 1]));
    expect(kind.findings(experiment(), line(ids, ids))).toEqual([
      {
        key: 'data.labelColumn',
        message:
          '30 of 30 training rows have a label that no other row has, so nothing can be learned about it.',
        hint: 'Check data.labelColumn ("label").',
      },
    ]);
    const pairs = Object.fromEntries(Object.keys(ids).map((label) => [label, 2]));
    expect(kind.findings(experiment(), line(pairs, pairs))).toEqual([]);
  });

  it('include labels that differ only in letter case or spaces, however frequent', () => {
    const train = { spam: 9, Spam: 8, 'ham ': 5, ham: 5, v1: 7, V1: 6 };
    const [found] = kind.findings(experiment(), line(train, train));
    expect(found.message).toBe(
      'Some labels look like misspellings of others: "Spam" (8 rows) like "spam", "ham" (5 rows) like "ham ", "V1" (6 rows) like "v1".',
    );
  });

  it('include labels without validation rows and name the first few', () => {
    const labels = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`l${i}`, 10]));
    const none = Object.fromEntries(Object.keys(labels).map((l) => [l, l === 'l0' ? 9 : 0]));
    expect(kind.findings(experiment(), line(labels, none))).toMatchObject([
      {
        key: 'data.validation',
        message: 'No validation row has the label "l1", "l2", "l3", "l4", "l5" or 2 others.',
      },
    ]);
  });
});

describe('the model output for text classification', () => {
  const check = (head: string, shape: (string | number)[]) =>
    kind.checkOutput(
      experiment({}, { task: { type: 'text-classification', head } }),
      'out',
      { dtype: DType.float, shape },
      ['a', 'b', 'c'],
    );

  it('must be hidden states, pooled or not, for a new head', () => {
    check('linear', ['batch', 'sequence', 8]);
    check('linear', ['batch', 8]);
    expect(failure('model', () => check('linear', [8]))).toContain(
      'the output out has the shape [8]; a head needs [batch, sequence, hidden] or [batch, hidden].',
    );
  });

  it('must have one number per label without a new head', () => {
    check('none', ['batch', 3]);
    expect(failure('model', () => check('none', ['batch', 2]))).toContain(
      'has the shape [batch, 2], but the data has 3 labels. | Use task.head "linear"',
    );
    expect(failure('model', () => check('none', ['batch', 'sequence', 3]))).toContain(
      'has the shape [batch, sequence, 3], but the task needs [batch, 3].',
    );
  });
});
