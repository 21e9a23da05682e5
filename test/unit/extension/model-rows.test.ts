import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fill as t } from '../../../src/base/fill';
import { modelRows } from '../../../src/extension/tree/model-rows';
import { loadModel } from '../../../src/graph/file/load';
import { summarize } from '../../../src/graph/summary';

const bert = summarize(loadModel(join(__dirname, '../../fixtures/reference/bert.onnx')));

it("a model's rows show its size and its layers grouped by name ending", () => {
  const rows = modelRows(bert, t, 'en');
  expect(rows[0].label).toBe(`${bert.parameters.toLocaleString('en')} parameters`);
  const query = rows.find((r) => r.label === 'query')!;
  const layers = bert.layers.filter((l) => l.path.endsWith('.query'));
  expect(query.description).toBe(
    `${layers.length} layers · ${layers[0].outFeatures} × ${layers[0].inFeatures}`,
  );
  expect(new Set(rows.map((r) => r.id)).size).toBe(rows.length);
});

it("a model's rows name an operator without a gradient", () => {
  const rows = modelRows(
    { ...bert, missingRules: [{ operator: 'Loop', nodes: ['/a/Loop', '/b/Loop'] }] },
    t,
    'en',
  );
  expect(rows[1]).toMatchObject({
    label: 'Gradients cannot pass through Loop',
    description: '/a/Loop',
    icon: 'warning',
  });
});

it("a model's rows mention a key/value cache", () => {
  const { label, description } = modelRows({ ...bert, cachedLayers: 12 }, t, 'en')[1];
  expect([label, description]).toEqual(['Key/value cache', 'of 12 layers; empty in training']);
});
