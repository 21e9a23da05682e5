import { describe, expect, it } from 'vitest';
import type { PreflightData } from '../../../src/protocol/preflight';
import { DType } from '../../../src/graph/dtype';
import type { HostTensor } from '../../../src/graph/tensor-infos';
import { LABELS } from '../../../src/tasks/task-graph';
import { modelInputs, batchFeeds } from '../../../src/tasks/task-data';
import { tokenClassification as kind } from '../../../src/tasks/token-classification';
import { failure, rejection } from '../data/support';
import { taskLab, textModel } from './lab';
import { predicting } from './tagged';

const { spec, write } = taskLab('token-classification');
const jsonl = (...rows: [words: string, tags: string][]) =>
  rows
    .map(([words, tags]) => `${JSON.stringify({ tokens: words.split(' '), tags: tags.split(' ') })}\n`)
    .join('');

const train = write(
  'train.jsonl',
  jsonl(
    ['the unaffable cat', 'O O B-PET'],
    ['the cats played !', 'O B-PET O O'],
    ['unaffable unaffable unaffable unaffable the', 'B-PET I-PET O O O'],
  ),
);
const validation = write('validation.conll', 'the O\ncats B-PET\n\nplaying O\n\u200b O\n! O\n');
const experiment = (data: object = {}, more?: object) => spec({ train, validation, ...data }, more);
const numbers = ({ data, dims }: HostTensor): number[][] =>
  Array.from({ length: dims[0] }, (_, row) =>
    [...data.slice(row * dims[1], (row + 1) * dims[1])].map(Number),
  );

describe('the data of token classification', async () => {
  const data = await kind.load(experiment(), textModel);

  it('has the tags of the training rows as labels and the position of each word’s first token', () => {
    expect(data.labels).toEqual(['B-PET', 'I-PET', 'O']);
    const [first, , third] = data.train.dataset.examples;
    expect({ ...first, offsets: undefined }).toEqual({
      size: 7,
      ids: Int32Array.of(2, 5, 11, 12, 13, 6, 3),
      typeIds: new Int32Array(7),
      row: 0,
      first: Int32Array.of(1, 2, 5),
      tags: Int32Array.of(2, 2, 0),
    });
    expect([...first.offsets]).toEqual([0, 3, 4, 13, 14, 17]);
    // With twelve tokens, the last words are truncated, but their tags are kept.
    expect([...third.first]).toEqual([1, 4, 7, 10, -1]);
    expect([third.size, third.truncated, [...third.tags]]).toEqual([12, true, [0, 1, 2, 2, 2]]);
    expect(data.train.dataset.truncatedCount).toBe(1);
    expect(data.validation.dataset.examples.map((e) => [...e.first])).toEqual([
      [1, 2],
      [1, -1, 3],
    ]);
  });

  it('becomes feeds with a label at the first token of each word and nowhere else', async () => {
    const feeds = await batchFeeds(kind, modelInputs(textModel), data.train.dataset, [1, 0]);
    expect(Object.keys(feeds)).toEqual(['input_ids', 'attention_mask', LABELS]);
    const labels = feeds[LABELS];
    expect([labels.dtype, labels.dims]).toEqual([DType.int64, [2, 7]]);
    const N = -100;
    // [CLS] the cats play ##ed ! [SEP] and [CLS] the un ##aff ##able cat [SEP]
    expect(numbers(labels)).toEqual([
      [N, 2, 0, 2, N, 2, N],
      [N, 2, 2, N, N, 0, N],
    ]);
    expect(numbers(feeds.input_ids)).toEqual([
      [2, 5, 7, 8, 10, 16, 3],
      [2, 5, 11, 12, 13, 6, 3],
    ]);
    // Padding has no labels, and neither have truncated words.
    const padded = await batchFeeds(kind, modelInputs(textModel), data.train.dataset, [0, 2], 13);
    expect(padded[LABELS].dims).toEqual([2, 13]);
    expect(numbers(padded[LABELS])).toEqual([
      [N, 2, 2, N, N, 0, N, N, N, N, N, N, N],
      [N, 0, N, N, 1, N, N, 2, N, N, 2, N, N],
    ]);
    expect(numbers(padded.attention_mask)[0]).toEqual([1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
    // A word that the tokenizer drops has none.
    expect(
      numbers((await batchFeeds(kind, modelInputs(textModel), data.validation.dataset, [1]))[LABELS]),
    ).toEqual([[N, 2, N, 2, N]]);
    // The weight of a text is the number of these labels.
    expect(data.train.dataset.examples.map(kind.weight)).toEqual([3, 4, 4]);
    expect(data.validation.dataset.examples.map(kind.weight)).toEqual([2, 2]);
  });

  it('has counts for each tag and the most frequent one as baseline', () => {
    expect(kind.facts(data.train.dataset.examples, data)).toEqual({
      labels: { 'B-PET': 3, 'I-PET': 1, O: 8 },
    });
    expect(kind.facts(data.validation.dataset.examples, data)).toEqual({
      labels: {
        'B-PET': 1,
        'I-PET': 0,
        O: 4,
      },
    });
    expect(kind.baseline(data)).toEqual({ answer: 'always "O"', metric: 'tagAccuracy', value: 4 / 5 });
    expect(kind.guessLoss(data)).toBeCloseTo(Math.log(3), 12);
  });

  it('has the right baseline if tags are numbers', async () => {
    const rows = (tags: string) => jsonl(['the cats the cats the', tags]);
    const labels = write('numbers.jsonl', rows('-1 -1 -1 0 10'));
    const tagged = await kind.load(spec({ train: labels, validation: labels }), textModel);
    expect(tagged.labels).toEqual(['-1', '0', '10']);
    expect(kind.baseline(tagged)).toMatchObject({ answer: 'always "-1"', value: 3 / 5 });
    const mixed = write('mixed.jsonl', rows('10 10 9 x 10'));
    const others = await kind.load(spec({ train: mixed, validation: mixed }), textModel);
    expect(others.labels).toEqual(['10', '9', 'x']);
    expect(kind.baseline(others)).toMatchObject({ answer: 'always "10"', value: 3 / 5 });
  });

  it('is rejected, with the line and the nearest tag, if the validation file has a tag that is not trained', async () => {
    const wrong = write('wrong.conll', 'the O\ncats B-PET\n\nthe O\ncats B-PTE\n');
    const unknown = 'the label "B-PTE" is not among the 3 that are trained (nearest: "B-PET")';
    expect(await rejection('data', kind.load(experiment({ validation: wrong }), textModel))).toContain(
      `${wrong}:4: ${unknown}.`,
    );
    const { validation, warnings } = await kind.load(
      experiment({ validation: wrong, onBadRow: 'skip' }),
      textModel,
    );
    expect(validation.rows.map((r) => r.line)).toEqual([1]);
    expect(validation.skipped).toEqual([{ line: 4, reason: unknown, unknownLabel: 'B-PTE' }]);
    expect(warnings.join()).toContain(`1 row was skipped (data.onBadRow "skip"): line 4: ${unknown}.`);
    // A trained run keeps its order of the tags.
    const again = await kind.load(experiment(), textModel, { labels: ['O', 'I-PET', 'B-PET'] });
    expect([...again.train.dataset.examples.at(0)!.tags]).toEqual([0, 0, 2]);
  });

  it('needs at least two tags', async () => {
    const same = write('same.jsonl', jsonl(['the cats', 'O O']));
    expect(await rejection('labels', kind.load(spec({ train: same }), textModel))).toContain(
      'has only the label "O"; two or more are needed',
    );
  });

  it('is split regardless of the tags, and in the same way for the same seed', async () => {
    // Every sentence has different tags.
    const sentence = (i: number): [string, string] => [
      'cats'.concat(' the'.repeat(i)),
      'B-PET'.concat(' O'.repeat(i)),
    ];
    const many = write('many.jsonl', jsonl(...Array.from({ length: 40 }, (_, i) => sentence(i))));
    const load = (seed: number) =>
      kind.load(spec({ train: many, validationFraction: 0.25 }, { training: { seed } }), textModel);
    const split = await load(1);
    expect([split.train.rows.length, split.validation.rows.length]).toEqual([30, 10]);
    expect(split.labels).toEqual(['B-PET', 'O']);
    const lines = async (seed: number) => (await load(seed)).validation.rows.map((r) => r.line);
    expect(await lines(1)).toEqual(split.validation.rows.map((r) => r.line));
    expect(await lines(2)).not.toEqual(await lines(1));
    const one = write('one.jsonl', jsonl(['the cats', 'O B-PET']));
    expect(await rejection('data', kind.load(spec({ train: one }), textModel))).toContain('has only one row');
  });

  it('is rejected if the tokenizer produces no tokens for a sentence', async () => {
    const nothing = write('nothing.conll', 'the O\ncats B-PET\n\n\u200b O\n');
    const problem = 'the tokenizer produces no tokens for the text';
    expect(await rejection('data', kind.load(experiment({ train: nothing }), textModel))).toContain(
      `${nothing}:4: ${problem}.`,
    );
    const { train } = await kind.load(experiment({ train: nothing, onBadRow: 'skip' }), textModel);
    expect([train.dataset.examples.length, train.skipped]).toEqual([1, [{ line: 4, reason: problem }]]);
  });

  it('provides validation rows as samples, with their true spans', async () => {
    expect(await kind.samples(experiment(), data)).toEqual([
      {
        ...{ text: 'the cats', label: 'O B-PET', file: 'validation.conll', line: 1 },
        spans: [{ start: 4, end: 8, label: 'PET' }],
      },
      { text: 'playing \u200b !', label: 'O O O', file: 'validation.conll', line: 4, spans: [] },
    ]);
    const without = await kind.withoutRows(experiment(), textModel, data);
    expect([without.train.rows, without.validation.path, without.labels]).toEqual([
      [],
      validation,
      data.labels,
    ]);
    const { train: none, validation: only } = await kind.loadValidation(experiment(), textModel, data);
    expect([none.rows.length, only.rows.length]).toEqual([0, 2]);
  });
});

describe('the findings of token classification', () => {
  it('include tags without validation rows, but no tag of nearly all words', () => {
    const split = (labels: Record<string, number>) => ({ examples: 9, labels }) as PreflightData['train'];
    const line = (train: Record<string, number>, validation: Record<string, number>): PreflightData => ({
      kind: 'data',
      train: split(train),
      validation: split(validation),
      labels: Object.keys(train),
      duplicates: {
        acrossSplits: { count: 0, first: [] },
        withinTrain: 0,
        conflicts: { count: 0, first: [] },
      },
    });
    // It is normal that nearly every word is O.
    const all = line({ O: 990, 'B-PER': 5, 'I-PER': 5 }, { O: 90, 'B-PER': 1, 'I-PER': 1 });
    expect(kind.findings(experiment(), all)).toEqual([]);
    const missing = line({ O: 90, 'B-PER': 5, 'I-PER': 5 }, { O: 90, 'B-PER': 1, 'I-PER': 0 });
    expect(kind.findings(experiment(), missing)).toEqual([
      {
        key: 'data.validation',
        message: 'No validation row has the label "I-PER".',
        hint: 'Add such rows: otherwise, the model is not evaluated on them.',
      },
    ]);
  });
});

describe('the model output for token classification', () => {
  const float = (shape: (string | number)[], dtype: number = DType.float) => ({ dtype, shape });
  const check = (head: string, info: ReturnType<typeof float>, labels = ['a', 'b', 'c']) =>
    kind.checkOutput(experiment({}, { task: { type: 'token-classification', head } }), 'out', info, labels);

  it('must be the hidden states of every token for a new head', () => {
    check('linear', float(['batch', 'sequence', 8]));
    const wrong = failure('model', () => check('linear', float(['batch', 8])));
    expect(wrong).toContain(
      'the output out has the shape [batch, 8]; a head needs [batch, sequence, hidden].',
    );
    expect(wrong).not.toContain('or [batch, hidden]');
    expect(failure('model', () => check('linear', float(['batch', 'sequence', 'hidden'])))).toContain(
      'a head needs [batch, sequence, hidden].',
    );
    expect(failure('model', () => check('linear', float(['b', 's', 8], DType.float16)))).toContain(
      'the output out is not float32. | Export the model in float32.',
    );
  });

  it('must have one number per token and tag without a new head', () => {
    check('none', float(['batch', 'sequence', 3]));
    expect(failure('model', () => check('none', float(['batch', 'sequence', 4])))).toContain(
      'has the shape [batch, sequence, 4], but the data has 3 labels.',
    );
    expect(failure('model', () => check('none', float(['batch', 3])))).toContain(
      'has the shape [batch, 3], but the task needs [batch, sequence, 3].',
    );
  });

  it('is not pooled by a new head', () => {
    const head = { classes: 3, weight: 'head.weight', bias: 'head.bias' };
    expect(kind.head(experiment(), ['a', 'b', 'c'])).toEqual(head);
    const own = experiment({}, { task: { type: 'token-classification', head: 'none' } });
    expect(kind.head(own, ['a', 'b', 'c'])).toBeUndefined();
  });
});

describe('a question about a text', async () => {
  const labels = ['B-PET', 'I-PET', 'O'];
  const data = await kind.withoutRows(experiment(), textModel, { labels });
  const asked = (text: string, predicted: string, maxLength = 12) => {
    const { example, answer } = kind.ask({ text }, data, maxLength);
    return { example, answer: answer(predicting(example, predicted.split(' '), labels)) };
  };

  it('is answered with the spans in the text', () => {
    const text = 'The cats,  unaffable cats!';
    const { example, answer } = asked(text, 'O B-PET O B-PET I-PET O');
    expect([...example.ids]).toEqual([2, 5, 7, 17, 11, 12, 13, 7, 16, 3]);
    const probability = Math.exp(2) / (Math.exp(2) + 2);
    expect(answer.spans).toMatchObject([
      { start: 4, end: 8, label: 'PET' },
      { start: 11, end: 25, label: 'PET' },
    ]);
    for (const span of answer.spans) expect(span.probability).toBeCloseTo(probability, 6);
    expect(answer.spans.map((s) => text.slice(s.start, s.end))).toEqual(['cats', 'unaffable cats']);
  });

  it('is answered with the smallest probability of a span’s words', () => {
    const { example, answer } = kind.ask({ text: 'cats cats' }, data, 12);
    const logits = predicting(example, ['B-PET', 'I-PET'], labels);
    logits[example.first[1] * 3 + 2] = 1;
    const sum = Math.exp(2) + Math.exp(1) + 1;
    expect(answer(logits).spans).toEqual([
      { start: 0, end: 9, label: 'PET', probability: expect.closeTo(Math.exp(2) / sum, 6) as number },
    ]);
  });

  it('is answered for the part that is read if the text is too long', () => {
    const { example, answer } = asked('the cats cats cats', 'O B-PET B-PET B-PET', 5);
    expect([example.size, example.truncated, [...example.first]]).toEqual([5, true, [1, 2, 3, -1]]);
    expect(answer.spans.map((s) => [s.start, s.end])).toEqual([
      [4, 8],
      [9, 13],
    ]);
  });

  it('is rejected if the text has no words or no tokens', () => {
    expect(failure('data', () => kind.ask({ text: ' \n' }, data, 12))).toBe(
      'This text has no words. | Type some words.',
    );
    expect(failure('data', () => kind.ask({ text: '\u200b' }, data, 12))).toContain(
      'The tokenizer produces no tokens for this text.',
    );
  });
});
