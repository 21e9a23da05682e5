import { copyFileSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { anl } from '../../../../src/adapters/methods/anl';
import { ownValues } from '../../../../src/adapters/merge';
import type { LayerAdapter } from '../../../../src/adapters/targets/select';
import { openEvaluator } from '../../../../src/engine/open-task';
import type { Parameters } from '../../../../src/engine/stepper';
import type { AuroraSpec } from '../../../../src/experiment/methods';
import { GraphBuilder } from '../../../../src/graph/builder';
import { DType } from '../../../../src/graph/dtype';
import { loadModel } from '../../../../src/graph/file/load';
import { saveModel } from '../../../../src/graph/file/save';
import { findLinearLayers } from '../../../../src/graph/layers/linear';
import { tensorOf } from '../../../../src/graph/values';
import { loadExperiment } from '../../../../src/runs/experiment/load';
import { type CollectedLayer, collectTokens } from '../../../../src/training/fit/collect-tokens';
import { type FitPart, TrainingRows } from '../../../../src/training/fit/training-rows';
import { perturbed } from '../../../../src/training/task/initialize';
import { initialParameters, prepareTask, type Task } from '../../../../src/training/task/task';
import { Lab } from '../../../cli/lab';
import { large, ownCache } from '../../tasks/large';
import { pictured, writePictures } from '../../../cli/pictures';

ownCache();

const lab = new Lab();
afterAll(() => lab.remove());

const fixture = (name: string) => resolve('test/fixtures', name);

interface Setting {
  /** Of the fixtures. */
  model?: string;
  path?: string;
  maxLength?: number;
  quantize?: 4 | 8;
  task?: object;
  targets?: string[];
  adapter?: object;
  training?: object;
  data?: object;
}

let made = 0;

/** A task, and values of its adapters whose B is not zero. */
async function taskOf({
  model,
  path,
  maxLength = 16,
  quantize,
  task,
  targets,
  adapter,
  training,
  data,
}: Setting = {}) {
  if (model !== undefined) copyFileSync(fixture(model), lab.path('other.onnx'));
  const experiment = {
    model: { path: path ?? (model === undefined ? 'model.onnx' : 'other.onnx'), maxLength, quantize },
    task: { type: 'text-classification', head: 'linear', pooling: 'mean', ...task },
    data: { train: 'train.jsonl', validation: 'validation.jsonl', ...data },
    adapter: {
      method: 'aurora',
      rank: 2,
      dropout: 0.3,
      targetModules: targets ?? ['query', 'value'],
      ...adapter,
    },
    training: { maxSteps: 1, batchSize: 8, seed: 7, ...training },
  };
  lab.write('collected.aurora.json', JSON.stringify(experiment));
  const prepared = await prepareTask(loadExperiment(lab.path('collected.aurora.json')), lab.folder);
  return { task: prepared, parameters: perturbed(initialParameters(prepared), 3) };
}

const collect = (task: Task, parameters: Parameters, tokens: number, more: object = {}) =>
  collectTokens(task, parameters, lab.path(`graph-${made++}`), { tokens, progress: () => {}, ...more });

/** Every row of a part, in order. */
function rowsOf(task: Task, part: FitPart): number[] {
  const rows = new TrainingRows(task);
  const found: number[] = [];
  for (let next = rows.take(part, 5); next; next = rows.take(part, 5)) found.push(...next.indices);
  return found;
}

/** (z, σ(z)) of each token of some rows, each of which runs alone, without any padding. */
async function alone(task: Task, parameters: Parameters, rows: readonly number[]) {
  const evaluator = await openEvaluator(task.model, task.infos, task.graph, lab.path(`alone-${made++}`));
  const seen = new Map<string, number[][][]>(task.adapters.map((a) => [a.layer.path, []]));
  for (const row of rows) {
    const inputs = await task.feeds(task.data.train.dataset, [row]);
    const { observed } = await evaluator.evaluate(inputs, parameters, true);
    for (const adapter of task.adapters) {
      const { rank } = adapter.spec as AuroraSpec;
      const { H, W } = ownValues(adapter, parameters);
      const own = observed.get(adapter.layer.path)!.flatMap(({ data }) =>
        Array.from({ length: data.length / rank }, (_, i) => {
          const z = (data as Float32Array).subarray(i * rank, (i + 1) * rank);
          return [...z, ...anl(z, H!, W!, adapter.spec as AuroraSpec)];
        }),
      );
      seen.get(adapter.layer.path)!.push(own);
    }
  }
  await evaluator.dispose();
  return seen;
}

/** Requires that what was collected are the moments of the first rows of a part, and returns how many rows those are. */
function expectMoments(
  { adapter, ...layer }: CollectedLayer,
  part: 'fitted' | 'heldOut',
  perRow: readonly number[][][],
): number {
  const { count, mean } = layer[part];
  let rows = 0;
  const vectors: number[][] = [];
  while (vectors.length < count) vectors.push(...perRow[rows++]!);
  expect(vectors.length, adapter.layer.path).toBe(count);
  const size = vectors[0]!.length;
  const means = Array.from({ length: size }, (_, i) => vectors.reduce((s, v) => s + v[i]!, 0) / count);
  const covariance = layer[part].covariance();
  for (let i = 0; i < size; i++) {
    expect(mean[i]).toBeCloseTo(means[i]!, 5);
    for (let j = 0; j < size; j++) {
      const wanted = vectors.reduce((s, v) => s + (v[i]! - means[i]!) * (v[j]! - means[j]!), 0) / count;
      expect(covariance[i * mean.length + j]).toBeCloseTo(wanted, 5);
    }
  }
  return rows;
}

async function expectAlone(setting: Setting, tokens: number) {
  const { task, parameters } = await taskOf(setting);
  const found = await collect(task, parameters, tokens);
  expect(found.map((l) => l.adapter.layer.path)).toEqual(task.adapters.map((a) => a.layer.path));
  const rows: Record<string, number[]> = {};
  for (const part of ['fitted', 'heldOut'] as const) {
    const order = rowsOf(task, part === 'fitted' ? 'fitted' : 'held-out').slice(0, 40);
    const perRow = await alone(task, parameters, order);
    rows[part] = found.map((layer) => expectMoments(layer, part, perRow.get(layer.adapter.layer.path)!));
  }
  return { task, found, rows, calls: task.adapters.map(({ layer }: LayerAdapter) => layer.calls.length) };
}

describe('the tokens that a fit is made on', () => {
  it('are those of training rows, without padding, and others are held out', async () => {
    const { found, rows } = await expectAlone({}, 120);
    for (const { fitted, heldOut } of found) {
      expect(fitted.count).toBeGreaterThanOrEqual(120);
      expect(heldOut.count).toBeGreaterThanOrEqual(30);
    }
    // Texts have up to 16 tokens, so a few of the 77 rows are enough.
    expect(Math.max(...rows.fitted!)).toBeLessThan(40);
  });

  it('are those of each layer if ranks differ', async () => {
    await expectAlone({ adapter: { rankPattern: { value: 3 } } }, 60);
  });

  it('are those of all calls of a layer', async () => {
    const { found, calls, rows } = await expectAlone(
      { model: 'reference/more/albert.onnx', targets: ['query', 'intermediate'] },
      90,
    );
    expect(Math.min(...calls)).toBeGreaterThan(1);
    expect(found[0]!.fitted.count % calls[0]!).toBe(0);
    expect(rows.fitted!.every((n) => n === rows.fitted![0])).toBe(true);
  });

  it('are one for each text behind pooling, for more texts than other layers need', async () => {
    const { graph, ...model } = loadModel(fixture('reference/bert.onnx'));
    const g = new GraphBuilder({ ...graph, nodes: [...graph.nodes], outputs: [] }, '/pooled');
    const width = findLinearLayers(graph)[0]!.inFeatures;
    const weight = Array.from({ length: 2 * width }, (_, i) => Math.sin(i));
    const first = g.op('Gather', [graph.outputs[0]!.name, g.scalar(0, DType.int64)], { axis: 1 });
    g.addInitializer(tensorOf('classifier.weight', DType.float, [width, 2], weight));
    g.addOutput(g.op('MatMul', [first, 'classifier.weight'], {}, { outputs: ['logits'] }));
    saveModel({ ...model, graph: g.graph }, lab.path('pooled.onnx'));
    const { task, parameters } = await taskOf({
      path: 'pooled.onnx',
      task: { head: 'none', pooling: undefined },
      targets: ['query', 'classifier'],
    });
    const found = await collect(task, parameters, 50);
    const perRow = await alone(task, parameters, rowsOf(task, 'fitted'));
    const counts = found.map((layer) => {
      expectMoments(layer, 'fitted', perRow.get(layer.adapter.layer.path)!);
      return layer.fitted.count;
    });
    expect(found.at(-1)!.adapter.layer.path).toBe('classifier');
    // Every other layer had 50 tokens after a few texts.
    expect(counts.at(-1)).toBeGreaterThanOrEqual(50);
    expect(counts[0]).toBeGreaterThan(200);
  });

  it('are those of a layer that has the sequence before the batch', async () => {
    const { graph, ...model } = loadModel(fixture('reference/bert.onnx'));
    const g = new GraphBuilder({ ...graph, nodes: [...graph.nodes], outputs: [] }, '/turned');
    const width = findLinearLayers(graph)[0]!.inFeatures;
    const weight = Array.from({ length: width ** 2 }, (_, i) => Math.sin(i));
    g.addInitializer(tensorOf('mixer.weight', DType.float, [width, width], weight));
    const turned = (x: string, outputs?: string[]) =>
      g.op('Transpose', [x], { perm: [1, 0, 2] }, { outputs });
    turned(g.op('MatMul', [turned(graph.outputs[0]!.name), 'mixer.weight']), ['mixed']);
    g.addOutput('mixed');
    saveModel({ ...model, graph: g.graph }, lab.path('turned.onnx'));
    const { found, rows } = await expectAlone({ path: 'turned.onnx', targets: ['query', 'mixer'] }, 90);
    expect(found.at(-1)!.adapter.layer.path).toBe('mixer');
    expect(rows.fitted!.every((n) => n === rows.fitted![0])).toBe(true);
  });

  it('are those of a language model’s texts, which share no rows here', async () => {
    const folder = fixture('playground/language');
    mkdirSync(lab.path('language'));
    for (const name of ['tokenizer.json', 'tokenizer_config.json', 'config.json'])
      copyFileSync(join(folder, name), lab.path(`language/${name}`));
    copyFileSync(join(folder, 'model.onnx'), lab.path('language/model.onnx'));
    const { task } = await expectAlone(
      {
        path: 'language/model.onnx',
        maxLength: 40,
        task: { type: 'causal-language-modeling', head: 'none', pooling: undefined },
        targets: ['c_attn', 'c_fc'],
        training: { packing: true },
      },
      150,
    );
    expect(task.trainingSet.examples.length).toBeLessThan(task.data.train.dataset.examples.length);
  });

  it('are those of a quantized model', async () => {
    await expectAlone({ quantize: 8 }, 60);
  });

  it('are those of images', async () => {
    writePictures(lab, 12);
    const rows = Array.from({ length: 12 }, (_, i) => ({ image: `images/${i}.png`, label: pictured(i) }));
    lab.write('images.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const { found } = await expectAlone(
      {
        model: 'reference/vit.onnx',
        task: { type: 'image-classification', pooling: undefined },
        data: { train: 'images.jsonl', validation: 'images.jsonl' },
      },
      60,
    );
    expect(found.length).toBeGreaterThan(0);
  });
});

describe('the rows that a fit reads', () => {
  it('are the same for the same seed, others for another, spread over the file, and never held out as well', async () => {
    const { task } = await taskOf();
    const { task: other } = await taskOf({ training: { seed: 8 } });
    const [fitted, heldOut] = [rowsOf(task, 'fitted'), rowsOf(task, 'held-out')];
    expect(rowsOf(task, 'fitted')).toEqual(fitted);
    expect(rowsOf(other, 'fitted')).not.toEqual(fitted);
    expect([...fitted, ...heldOut].sort((a, b) => a - b)).toEqual(Array.from({ length: 96 }, (_, i) => i));
    expect(heldOut).toHaveLength(19);
    const first = fitted.slice(0, 16);
    expect(Math.min(...first)).toBeLessThan(24);
    expect(Math.max(...first)).toBeGreaterThan(72);
  });

  it('are not read beyond what is needed', async () => {
    const { task, parameters } = await taskOf();
    const { dataset } = task.data.train;
    const read = new Set<number>();
    const { feeds } = task;
    const watched: Task = {
      ...task,
      feeds: (from, indices, ...rest) => {
        if (from === dataset) indices.forEach((i) => read.add(i));
        return feeds(from, indices, ...rest);
      },
    };
    await collect(watched, parameters, 40);
    expect(read.size).toBeLessThan(30);
    expect(read.size).toBeGreaterThan(4);
  });

  it('are the same of a large file, which stays on disk', async () => {
    const { task, parameters } = await taskOf();
    const { task: streamed } = await large(() => taskOf());
    expect(streamed.data.train.dataset.examples.sizes).toHaveLength(96);
    const moments = (found: CollectedLayer[]) =>
      found.map((l) => [...l.fitted.mean, ...l.heldOut.covariance()]);
    expect(moments(await collect(streamed, parameters, 60))).toEqual(
      moments(await collect(task, parameters, 60)),
    );
  });

  it('are used twice if there is only one', async () => {
    const { task: whole, parameters } = await taskOf();
    const { train } = whole.data;
    const dataset = { ...train.dataset, examples: [train.dataset.examples.at(0)!] };
    const task: Task = { ...whole, data: { ...whole.data, train: { ...train, dataset } } };
    const found = await collect(task, parameters, 100);
    for (const { fitted, heldOut } of found) {
      expect(fitted.count).toBeGreaterThan(0);
      expect(heldOut.count).toBe(fitted.count);
    }
  });
});

describe('collecting', () => {
  it('finds the exact direction of a layer normalization with a bias', async () => {
    const { task, parameters } = await taskOf();
    const [first] = await collect(task, parameters, 100);
    const { heldOut, directions } = first!;
    const at = heldOut.mean.length - 1;
    expect(directions).toHaveLength(3);
    expect(heldOut.mean[at]).toBeCloseTo(1, 3);
    expect(heldOut.covariance().at(-1)).toBeLessThan(1e-6);
  });

  it('reports growing shares of its work, up to all of it, and gives the same twice', async () => {
    const { task, parameters } = await taskOf();
    const shares: number[] = [];
    const found = await collect(task, parameters, 100, {
      progress: (share: number) => void shares.push(share),
    });
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.length).toBeGreaterThan(3);
    expect(shares.at(-1)).toBe(1);
    const again = await collect(task, parameters, 100);
    expect(again.map((l) => [...l.fitted.mean, ...l.heldOut.covariance()])).toEqual(
      found.map((l) => [...l.fitted.mean, ...l.heldOut.covariance()]),
    );
  });

  it('stops when it is asked to', async () => {
    const { task, parameters } = await taskOf();
    const controller = new AbortController();
    let batches = 0;
    const progress = () => {
      if (++batches === 2) controller.abort(new Error('enough'));
    };
    await expect(collect(task, parameters, 4000, { signal: controller.signal, progress })).rejects.toThrow(
      'enough',
    );
    expect(batches).toBe(2);
  });

  it('names the layer whose z is not finite', async () => {
    const { task, parameters } = await taskOf();
    const { path } = task.adapters[1]!.layer;
    const broken = new Map(parameters).set(
      `${path}.A`,
      parameters.get(`${path}.A`)!.map(() => Infinity),
    );
    await expect(collect(task, broken, 40)).rejects.toThrow(path);
  });
});
