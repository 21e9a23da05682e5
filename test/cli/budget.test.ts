import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { budgetOf, adapterFileSize } from '../../src/adapters/budget/budget';
import { selectLayers } from '../../src/adapters/targets/select';
import { readSafetensors } from '../../src/graph/file/safetensors';
import type { ModelSummary } from '../../src/graph/summary';
import type { Experiment } from '../../src/experiment/experiment';
import type { AuroraSpec } from '../../src/experiment/methods';
import { Lab } from './lab';

const lab = new Lab({
  adapter: { rank: 3, targetModules: ['query', 'inter'], rankPattern: { 'layer.1.query': 5 } },
  training: { epochs: 1, maxSteps: 1 },
});
afterAll(() => lab.remove());

it("the calculator's count for the inspected model matches what a run trains and writes", () => {
  const inspected = lab.run('inspect', lab.path('model.onnx'), '--json');
  expect(inspected.code).toBe(0);
  const { layers, parameters } = JSON.parse(inspected.out) as ModelSummary;
  expect(lab.run('train', lab.experiment, '--out', lab.path('runs')).code).toBe(0);
  const [run] = lab.runs(lab.path('runs'));
  const { adapter: spec } = JSON.parse(readFileSync(join(run, 'spec.json'), 'utf8')) as Experiment;
  const budget = budgetOf(layers, spec as AuroraSpec, {
    modelParameters: parameters,
    loraRank: 8,
    tokens: 1,
  });
  const path = join(run, 'adapter', 'last', 'adapter_model.safetensors');
  const tensors = [...readSafetensors(path).tensors];
  const head = tensors.filter(([key]) => key.includes('.classifier.'));
  const adapter = tensors.filter(([key]) => !key.includes('.classifier.'));
  expect(head.length).toBe(2);
  expect(budget.modules.map((m) => m.rank)).toEqual([3, 3, 5, 3]);
  expect(adapter.reduce((n, [, t]) => n + t.data.length, 0)).toBe(budget.adapter.parameters);
  const { adapters } = selectLayers(layers, { outputs: [], unreached: [] }, spec);
  const extra = head.map(([key, t]): [string, number[]] => [key, t.dims]);
  expect(adapterFileSize(adapters, extra).total).toBe(statSync(path).size);
});
