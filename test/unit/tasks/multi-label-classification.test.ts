import { describe, expect, it } from 'vitest';
import { ANSWER_FOUND, ANSWER_MISSED, ANSWER_SPURIOUS } from '../../../src/protocol/answers/found';
import { DType } from '../../../src/graph/dtype';
import { multiLabelClassification as kind } from '../../../src/tasks/multi-label-classification';
import { LABELS } from '../../../src/tasks/task-graph';
import { modelInputs, batchFeeds } from '../../../src/tasks/task-data';
import { rejection } from '../data/support';
import { taskLab, textModel } from './lab';

const { spec, write } = taskLab('multi-label-classification');
const jsonl = (...rows: [text: string, labels: unknown][]) =>
  rows.map(([text, labels]) => `${JSON.stringify({ text, labels })}\n`).join('');
const train = write(
  'train.jsonl',
  jsonl(
    ['the cats', ['pets', 'many']],
    ['cafe', []],
    ['the cat', ['pets']],
    ['cats cats', ['many', 'pets', 'many']],
  ),
);
const validation = write('validation.jsonl', jsonl(['cats !', ['pets']], ['the cafe', []]));
const experiment = (data: object = {}, more?: object) => spec({ train, validation, ...data }, more);

describe('the data of several labels', () => {
  it('have 0 or 1 for each label', async () => {
    const data = await kind.load(experiment(), textModel);
    expect(data.labels).toEqual(['many', 'pets']);
    const { dataset } = data.train;
    const feeds = await batchFeeds(kind, modelInputs(textModel), dataset, [0, 1, 2, 3]);
    expect(feeds[LABELS]).toEqual({
      dtype: DType.float,
      dims: [4, 2],
      data: Float32Array.of(1, 1, 0, 0, 0, 1, 1, 1),
    });
    expect(dataset.examples.map(kind.weight)).toEqual([2, 2, 2, 2]);
    expect(kind.facts(dataset.examples, data)).toEqual({ labels: { many: 2, pets: 3 }, unlabeled: 1 });
    expect((await kind.samples(experiment(), data)).at(0)).toMatchObject({ text: 'cats !', label: 'pets' });
  });

  it.each([
    ['commas', {}, 'text,labels\nthe cats,"many, pets"\ncafe,\nthe cat,pets\n'],
    ['another separator', { labelSeparator: '|' }, 'text,labels\nthe cats,many|pets|\ncafe,\nthe cat,pets\n'],
    [
      'a column for each label',
      { labelColumns: ['many', 'pets'] },
      'text,many,pets\nthe cats,1,true\ncafe,0,0\nthe cat,False,1\n',
    ],
  ])('are the same from %s', async (_, data, content) => {
    const file = write('file.csv', content);
    const { labels, train: split } = await kind.load(
      spec({ train: file, validation: file, ...data }),
      textModel,
    );
    expect(labels).toEqual(['many', 'pets']);
    expect(split.dataset.examples.map((e) => [...e.truth])).toEqual([
      [1, 1],
      [0, 0],
      [0, 1],
    ]);
  });

  it('are checked, with the place', async () => {
    const flags = write('flags.csv', 'text,many,pets\nthe cats,1,maybe\n');
    const columns = { labelColumns: ['many', 'pets'] };
    expect(await rejection('data', kind.load(experiment({ train: flags, ...columns }), textModel))).toContain(
      'flags.csv:2: "pets" is "maybe", not 0 or 1.',
    );
    const none = write('none.jsonl', jsonl(['the cats', []]));
    expect(await rejection('labels', kind.load(experiment({ train: none }), textModel))).toContain(
      'none.jsonl has no label.',
    );
    const nested = write('nested.jsonl', jsonl(['the cats', ['a', ['b']]]));
    expect(await rejection('data', kind.load(experiment({ train: nested }), textModel))).toContain(
      'nested.jsonl:1: item 2 of "labels" is not a string or number.',
    );
    const unknown = write('unknown.jsonl', jsonl(['the cats', ['pet']]));
    expect(await rejection('data', kind.load(experiment({ validation: unknown }), textModel))).toContain(
      'the label "pet" is not among the 2 that are trained (nearest: "pets")',
    );
    expect(
      await rejection('labels', kind.load(experiment({ train: flags, labelColumns: ['few'] }), textModel)),
    ).toContain('has no column "few"');
  });
});

describe('the results of several labels', () => {
  it('count each label of each text', async () => {
    const data = await kind.load(experiment(), textModel);
    const scorer = kind.scorer(data);
    const logits = [Float32Array.of(1, 2), Float32Array.of(-1, -2)];
    [...data.validation.dataset.examples].forEach((e, i) => scorer.add(e, logits[i]));
    expect(scorer.metrics()).toEqual({
      absentLabels: { labels: [{ label: 'many', predicted: 1 }], macroF1: 1 },
      microF1: 2 / 3,
      macroF1: 0.5,
      meanAveragePrecision: 0.5,
      examples: 2,
    });
    // Three of four training texts have the label, two the other.
    expect(kind.baseline(data)).toEqual({ answer: 'always "pets"', metric: 'microF1', value: 2 / 3 });
    const answers = kind.predictions(data.validation, data, logits);
    if (answers.answer !== 'labels') throw new Error(answers.answer);
    const { example, label, found, probability } = answers.sets;
    expect([[...example], [...label], [...found]]).toEqual([
      [0, 0],
      [0, 1],
      [ANSWER_SPURIOUS, ANSWER_FOUND],
    ]);
    expect(probability[1]).toBeCloseTo(1 / (1 + Math.exp(-2)), 5);
    const [missed] = [kind.predictions(data.validation, data, [logits[1], logits[1]])];
    if (missed.answer === 'labels') expect([...missed.sets.found]).toEqual([ANSWER_MISSED]);
    const { answer } = kind.ask({ text: 'cats' }, data, 12);
    expect(answer(Float32Array.of(0, 100)).probabilities).toEqual([0.5, 1]);
  });
});
