import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LAYER_METHODS } from '../../../src/experiment/methods';
import { metricValue, type MetricName } from '../../../src/experiment/metrics';
import type { TaskName } from '../../../src/experiment/tasks/registry';
import type { ExportForm } from '../../../src/protocol/export';
import { readRunSummary } from '../../../src/runs/run-summary';
import { studyRun } from '../../../src/runs/run-in-study';
import { studyOf } from '../../../src/study/study';
import { comparisonWords } from '../../../src/study/study-words';
import { exportRun } from '../../../src/exports/export';
import { Lab } from '../../cli/lab';
import { pictured, writePictures } from '../../cli/pictures';
import { trainHere } from './train-here';

const FIXTURES = resolve('test/fixtures');
const EXAMPLES = 8;

/** A kind of task on a model of a few thousand weights. */
interface Kind {
  type: TaskName;
  metric: MetricName;
  head: 'linear' | 'none';
  /** In the fixtures; BERT otherwise. */
  model?: string;
  beside?: string[];
  targetModules: string[];
  row(text: string, i: number): object;
}

/** Where the default size is for larger layers. */
const SMALL: Readonly<Record<string, object>> = { c3a: { blockSize: 16 }, shira: { rank: 4 } };

const KINDS: Record<string, Kind> = {
  regression: {
    type: 'text-regression',
    metric: 'rmse',
    head: 'linear',
    targetModules: ['query', 'value'],
    row: (text) => ({ text, label: text.length }),
  },
  language: {
    type: 'causal-language-modeling',
    metric: 'perplexity',
    head: 'none',
    model: 'playground/language/model.onnx',
    beside: ['tokenizer.json', 'tokenizer_config.json', 'config.json'],
    targetModules: ['c_attn', 'c_fc'],
    row: (text) => ({ text }),
  },
  images: {
    type: 'image-classification',
    metric: 'accuracy',
    head: 'linear',
    model: 'reference/vit.onnx',
    targetModules: ['query', 'value'],
    row: (_, i) => ({ image: `images/${i}.png`, label: pictured(i) }),
  },
};

describe.each(Object.entries(KINDS))('%s', (name, kind) => {
  const lab = new Lab();
  afterAll(() => lab.remove());
  const runs = new Map<string, string>();

  beforeAll(() => {
    const model = join(FIXTURES, kind.model ?? 'reference/bert.onnx');
    lab.write('model.onnx', readFileSync(model));
    for (const file of kind.beside ?? []) lab.write(file, readFileSync(join(model, '..', file)));
    if (name === 'images') writePictures(lab, EXAMPLES);
    const texts = lab.read('train.jsonl').split('\n').slice(0, EXAMPLES);
    const rows = texts.map((line, i) => kind.row((JSON.parse(line) as { text: string }).text, i));
    lab.write('train.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  });

  async function trained(method: string, learningRate = 0.01): Promise<string> {
    const { type, head, metric, targetModules } = kind;
    const experiment = {
      model: { path: 'model.onnx', maxLength: 16 },
      task: { type, head },
      data: { train: 'train.jsonl', validation: 'train.jsonl' },
      adapter: { method, targetModules, ...SMALL[method] },
      training: { maxSteps: 2, batchSize: EXAMPLES, learningRate, seed: 7, evaluateEvery: 1, metric },
    };
    return trainHere(lab, experiment);
  }

  it.each(LAYER_METHODS)('is trained with %s', async (method) => {
    const run = await trained(method);
    runs.set(method, run);
    const { events, result } = readRunSummary(run);
    const losses = events.flatMap((e) => (e.kind === 'evaluation' ? [e.metrics.loss] : []));
    expect(result).toMatchObject({ method, outcome: 'finished', steps: 2 });
    expect(losses).toHaveLength(2);
    // On the training data, with one batch for all of them.
    expect(losses[1]).toBeLessThan(losses[0]);
  });

  it.each<[method: string, form: ExportForm]>([
    ['aurora', 'onnx-merged'],
    ['aurora', 'peft-lora'],
    ['lora', 'onnx-merged'],
  ])('of %s is exported as %s with the same predictions', async (method, form) => {
    const run = runs.get(method)!;
    const exported = await exportRun({
      ...{ run, at: 'best', form, maxDrop: 0, emit: () => {} },
      accept: () => Promise.resolve(true),
    });
    const { metrics, largestDifference } = exported!.record;
    expect(largestDifference).toBeLessThan(1e-4);
    const { best } = readRunSummary(run).result as unknown as { best: Record<string, number> };
    const wanted = metricValue(method === 'lora' ? best : metrics.fitted!, kind.metric);
    const difference = Math.abs(metricValue(metrics.exported, kind.metric) - wanted);
    expect(difference).toBeLessThanOrEqual(1e-5 * wanted);
  });

  it.runIf(kind.metric !== 'accuracy')('is studied by a metric of which less is better', async () => {
    const slow = await trained('lora', 1e-6);
    const folders = [slow, ...['lora', 'aurora'].map((method) => runs.get(method)!)];
    const all = await Promise.all(folders.map((run) => studyRun(readRunSummary(run), run)));
    const study = studyOf(all, {});
    const { groups, searches, comparisons } = study.sections[0];
    const metricOf = (run: string) =>
      metricValue(readRunSummary(run).events.findLast((e) => e.kind === 'evaluation')!.metrics, kind.metric);
    const [untrained, lora, aurora] = folders.map(metricOf);
    expect(study.metric).toBe(kind.metric);
    expect(lora).toBeLessThan(untrained);
    expect(searches[0].tried).toEqual([
      { learningRate: 1e-6, mean: untrained, chosen: false },
      { learningRate: 0.01, mean: lora, chosen: true },
    ]);
    expect(groups.filter((g) => g.chosen).map((g) => g.metrics[kind.metric].mean)).toEqual([lora, aurora]);
    expect(lora).toBeLessThan(aurora);
    expect(comparisonWords(comparisons[0], study)).toMatch(
      /^The (RMSE|perplexity) of AuroRA r=2 is [\d.]+% higher than/,
    );
  });
});
