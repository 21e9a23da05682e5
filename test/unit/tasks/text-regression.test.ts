import { describe, expect, it } from 'vitest';
import { DType } from '../../../src/graph/dtype';
import { LABELS } from '../../../src/tasks/task-graph';
import { modelInputs, batchFeeds } from '../../../src/tasks/task-data';
import { textRegression as kind } from '../../../src/tasks/text-regression';
import { rejection } from '../data/support';
import { taskLab, textModel } from './lab';

const { spec, write } = taskLab('text-regression');
const csv = (...rows: [text: string, score: number | string][]) =>
  `text,label\n${rows.map(([text, score]) => `${text},${score}\n`).join('')}`;
const train = write('train.csv', csv(['the cats', 10], ['cafe', 30], ['the cat', 20], ['!', '4e1']));
const validation = write('validation.csv', csv(['cats !', 15], ['the cafe', 45]));
const experiment = (data: object = {}, more?: object) => spec({ train, validation, ...data }, more);

describe('the data of regression', () => {
  it('are scaled by the training numbers, and only the head learns them so', async () => {
    const data = await kind.load(experiment(), textModel);
    const deviation = Math.sqrt(125);
    expect(data.labels).toEqual(['label']);
    expect(data.scale).toEqual({ mean: 25, deviation });
    const { examples } = data.validation.dataset;
    expect(examples.map((e) => e.value)).toEqual([15, 45]);
    const feeds = await batchFeeds(kind, modelInputs(textModel), data.validation.dataset, [1, 0]);
    expect(feeds[LABELS]).toEqual({
      dtype: DType.float,
      dims: [2],
      data: Float32Array.of(20 / deviation, -10 / deviation),
    });
    const { answer } = kind.ask({ text: 'the cats' }, data, 12);
    expect(answer(Float32Array.of(2)).number).toBeCloseTo(25 + 2 * deviation, 9);
  });

  it('keep the scale of a run, whatever the training file has become', async () => {
    const known = { labels: ['label'], scale: { mean: 1, deviation: 2 } };
    for (const load of [kind.load, kind.loadValidation]) {
      const { scale, validation: split } = await load(experiment(), textModel, known);
      expect(scale).toEqual(known.scale);
      expect(split.dataset.examples.at(0)!.target).toBe(7);
    }
  });

  it("are not scaled for a model's own output", async () => {
    const { scale } = await kind.load(
      experiment({}, { task: { type: 'text-regression', head: 'none' } }),
      textModel,
    );
    expect(scale).toEqual({ mean: 0, deviation: 1 });
  });

  it('do not include the rows held out in the scale', async () => {
    const rows = Array.from({ length: 20 }, (_, i): [string, number] => ['cats', i]);
    const all = write('all.csv', csv(...rows));
    const { train: kept, scale } = await kind.load(spec({ train: all, validationFraction: 0.25 }), textModel);
    const values = kept.dataset.examples.map((e) => e.value);
    expect(values).toHaveLength(15);
    expect(scale!.mean).toBeCloseTo(values.reduce((a, b) => a + b) / 15, 12);
  });

  it.each(['warm', '0x10', '1,5', 'NaN', 'Infinity', '1e999'])('must be numbers, not %s', async (word) => {
    const bad = write('bad.csv', `text,label\ncats,1\ncat,"${word}"\n`);
    expect(await rejection('data', kind.load(experiment({ train: bad }), textModel))).toContain(
      `bad.csv:3: "label" is "${word}", not a number.`,
    );
  });

  it('must differ', async () => {
    const same = write('same.csv', csv(['the', 3], ['cats', '3.0']));
    expect(await rejection('labels', kind.load(experiment({ train: same }), textModel))).toContain(
      'every row has the number 3, so there is nothing to learn.',
    );
  });
});

describe('the results of regression', () => {
  it('are in the unit of the data, beside those of the mean', async () => {
    const data = await kind.load(experiment(), textModel);
    const scorer = kind.scorer(data);
    // The mean of the training numbers for both: 25.
    [...data.validation.dataset.examples].forEach((e) => scorer.add(e, Float32Array.of(0)));
    const rmse = Math.sqrt((10 ** 2 + 20 ** 2) / 2);
    expect(scorer.metrics()).toEqual({ pearson: 0, spearman: 0, rmse, examples: 2 });
    expect(kind.baseline(data)).toEqual({ answer: 'always 25', metric: 'rmse', value: rmse });
    expect(kind.facts(data.train.dataset.examples)).toEqual({
      labels: {},
      numbers: { min: 10, median: 25, max: 40, mean: 25, deviation: Math.sqrt(125) },
    });
    const answers = kind.predictions(data.validation, data, [Float32Array.of(0), Float32Array.of(1)]);
    expect(answers).toMatchObject({ answer: 'number', labels: ['label'] });
    if (answers.answer !== 'number') return;
    expect([...answers.columns.value]).toEqual([15, 45]);
    expect([...answers.columns.predicted]).toEqual([25, expect.closeTo(25 + Math.sqrt(125), 3)]);
    expect(answers.columns.loss[0]).toBeCloseTo(100 / 125, 5);
  });
});
