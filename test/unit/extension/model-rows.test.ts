import { join } from 'node:path';
import { expect, it } from 'vitest';
import { modelRows, STEP_ROW } from '../../../src/extension/tree/model-rows';
import { loadModel } from '../../../src/graph/file/load';
import { summarize } from '../../../src/graph/summary';
import type { StepCost } from '../../../src/protocol/step-cost';

const bert = summarize(loadModel(join(__dirname, '../../fixtures/reference/bert.onnx')));

it("a model's rows show its size and its layers grouped by name ending", () => {
  const rows = modelRows(bert);
  expect(rows[0].label).toBe(`${bert.parameters.toLocaleString('en')} parameters`);
  const query = rows.find((r) => r.label === 'query')!;
  const layers = bert.layers.filter((l) => l.path.endsWith('.query'));
  expect(query.description).toBe(
    `${layers.length} layers · ${layers[0].outFeatures} × ${layers[0].inFeatures}`,
  );
  expect(new Set(rows.map((r) => r.id)).size).toBe(rows.length);
});

it("a model's rows name an operator without a gradient", () => {
  const rows = modelRows({
    ...bert,
    missingRules: [{ operator: 'Loop', nodes: ['/a/Loop', '/b/Loop'] }],
    blocked: [bert.layers[0].path],
  });
  expect(rows[1]).toMatchObject({
    label: 'Gradients cannot pass through Loop',
    description: '/a/Loop and 1 more',
    icon: 'warning',
    tooltip: expect.stringMatching(/^\/a\/Loop\n\/b\/Loop\n\n1 of 12 layers are below it\./) as string,
  });
});

it("a model's rows mention a key/value cache", () => {
  const { label, description } = modelRows({ ...bert, cachedLayers: 12 })[1];
  expect([label, description]).toEqual(['Key/value cache', 'of 12 layers; empty in training']);
});

const STEP: StepCost = {
  method: 'aurora',
  rank: 2,
  batch: 8,
  length: 128,
  memory: { program: 2e8, weights: 7e8, activations: 4e8, evaluation: 5e7, trained: 5e7, total: 1.4e9 },
};

it('the row of a training step says what it takes and for which batch', () => {
  const time = {
    seconds: 1.514,
    flops: 1,
    rates: {
      at: 1,
      threads: 0,
      gflops: 1,
      int8Gflops: 300,
      widened: { blocks: 1e9, columns: 5e8 },
      bytesPerSecond: 1,
      functionsPerSecond: 1,
      secondsPerNode: 0,
    },
  };
  const row = (step: StepCost) => modelRows({ ...bert, step }).find((r) => r.id === STEP_ROW);
  expect(row({ ...STEP, time })).toMatchObject({
    label: '1.4 GB, about 1.51 s per step',
    description: 'batch 8 × 128 tokens, AuroRA r=2',
  });
  expect(row(STEP)?.label).toBe('1.4 GB per step');
  const unknown = { method: 'lora', batch: 4, problem: 'The size of what Loop computes is unknown.' };
  expect(row(unknown)).toMatchObject({
    label: 'Training step: no estimate',
    description: 'batch 4, LoRA',
    tooltip: unknown.problem,
  });
});

it("a folder's rows show its family and how its weights are stored", () => {
  const known = { ...bert, family: 'bert', weights: [{ type: 'bfloat16', bytes: 2e9 }] };
  expect(modelRows(known)[0].description).toBe('bert · bfloat16, 2.0 GB');
});
