import { copyFileSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadModel } from '../../src/graph/file/load';
import type { ModelSummary } from '../../src/graph/summary';
import { tensorNumbers } from '../../src/graph/values';
import { readRun } from '../read-run';
import { Lab } from './lab';

const lab = new Lab({ training: { epochs: 2, maxSteps: 20, evaluateEvery: 10, checkpointEvery: 10 } });
afterAll(() => lab.remove());
copyFileSync(resolve('test/fixtures/fused/bert-optimized.onnx'), lab.path('fused.onnx'));

const train = (...settings: string[]): string => {
  const out = lab.fresh('runs');
  const { code, err } = lab.run(
    'train',
    lab.experiment,
    '--out',
    out,
    ...settings.flatMap((s) => ['--set', s]),
  );
  expect([code, err]).toEqual([0, expect.anything()]);
  return lab.runs(out)[0];
};
const operators = (path: string) => loadModel(path).graph.nodes.map((n) => n.opType);

describe('a model that ONNX Runtime optimized', () => {
  it('has the layers of the model before', () => {
    const { layers, missingRules } = JSON.parse(
      lab.run('inspect', lab.path('fused.onnx'), '--json').out,
    ) as ModelSummary;
    expect(layers.filter((l) => /query|key|value/.test(l.path)).map((l) => l.path)).toEqual(
      [0, 1].flatMap((i) => ['query', 'key', 'value'].map((name) => `layer.${i}.${name}`)),
    );
    expect(layers.every((l) => l.mergeable)).toBe(true);
    expect(missingRules).toEqual([]);
  });

  it('has the losses of the model before, and is exported with its own operators', () => {
    const [plain, fused] = [train(), train('model.path=fused.onnx')];
    const losses = (run: string) => [...readRun(run).scalars.column('loss')!];
    const [before, after] = [losses(plain), losses(fused)];
    expect(after).toHaveLength(20);
    before.forEach((loss, i) => expect(Math.abs(after[i] - loss)).toBeLessThan(1e-4));

    const folder = lab.fresh('merged');
    expect(lab.run('export', fused, '--as', 'onnx-merged', '--out', folder)).toMatchObject({ code: 0 });
    const record = JSON.parse(readFileSync(`${folder}/export.json`, 'utf8')) as {
      largestDifference: number;
    };
    expect(record.largestDifference).toBeLessThan(1e-4);
    const own = operators(lab.path('fused.onnx'));
    expect(operators(`${folder}/model.onnx`).slice(0, own.length)).toEqual(own);
    // Only columns of query and value are changed.
    const [weights, merged] = [lab.path('fused.onnx'), `${folder}/model.onnx`].map((path) =>
      tensorNumbers(loadModel(path).graph.initializers.get('Attention_0_qkv_weight')!),
    );
    const changed = new Set(
      weights.flatMap((w, at) => (w === merged[at] ? [] : [Math.floor((at % 96) / 32)])),
    );
    expect([...changed].sort()).toEqual([0, 2]);
  });

  it('can have the biases trained that its attention adds', () => {
    const run = train(
      'model.path=fused.onnx',
      'training.maxSteps=4',
      'adapter={"method":"bitfit","targetModules":["query","value"]}',
    );
    const folder = lab.fresh('biases');
    const { code, err } = lab.run('export', run, '--as', 'onnx-merged', '--out', folder);
    expect([code, err]).toEqual([0, expect.anything()]);
    const biases = [lab.path('fused.onnx'), `${folder}/model.onnx`].map((path) =>
      tensorNumbers(loadModel(path).graph.initializers.get('Attention_0_qkv_bias')!),
    );
    const changed = new Set(biases[0].flatMap((b, at) => (b === biases[1][at] ? [] : [Math.floor(at / 32)])));
    expect([...changed].sort()).toEqual([0, 2]);
  });
});
