import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { mergeAdapters } from '../../../src/adapters/merge';
import { selectAdapters } from '../../../src/adapters/targets/select';
import { modelSource } from '../../../src/architectures/model-source';
import { openEvaluator } from '../../../src/engine/open-task';
import { probe } from '../../../src/engine/onnxruntime/probe';
import { DType } from '../../../src/graph/dtype';
import type { Model } from '../../../src/graph/model';
import { floatValues, tensorOf } from '../../../src/graph/values';
import { LABELS } from '../../../src/tasks/task-graph';
import { readModel, withoutAdapters } from '../../../src/training/task/adapted-model';
import { initialAdapters, perturbed } from '../../../src/training/task/initialize';
import { scratchFolder } from '../../scratch';
import { loraSpec } from '../specs';

const work = scratchFolder('tokens');
afterAll(() => rmSync(work, { recursive: true, force: true }));

const TOKENS = [3, 31, 46];
const IDS = [42, 41, 31, 46, 3, 33, 28, 46, 46, 37];

/** GPT-2 with a language head that has the embedding's weight. */
const { model, layers } = readModel(modelSource(resolve('test/fixtures/peft-more/dora-conv1d')));
const spec = loraSpec({ rank: 2, targetModules: ['c_attn'], trainableTokenIndices: TOKENS });
const { adapters } = selectAdapters(model.graph, layers, spec, 'logits');
const parameters = perturbed(initialAdapters(adapters, 1), 2);

let opened = 0;
async function logitsOf(
  given: Model,
  on: typeof adapters,
  values: ReadonlyMap<string, Float32Array>,
): Promise<Float32Array> {
  const folder = join(work, String(opened++));
  mkdirSync(folder, { recursive: true });
  const tensor = (data: readonly number[]) => ({
    dtype: DType.int64,
    dims: [1, data.length],
    data: BigInt64Array.from(data, BigInt),
  });
  const inputs = {
    input_ids: tensor(IDS),
    attention_mask: tensor(IDS.map(() => 1)),
    [LABELS]: tensor(IDS),
  };
  const task = { objective: 'causal-lm', output: 'logits', adapters: on } as const;
  const evaluator = await openEvaluator(given, await probe(given, folder), task, folder);
  const { logits } = await evaluator.evaluate(inputs, values);
  await evaluator.dispose();
  return Float32Array.from(logits.data as Float32Array);
}

const largest = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i])), 0);

it('trained tokens are read by the embedding and by a head with its weight, merged or not', async () => {
  const trained = await logitsOf(model, adapters, parameters);
  const merged = await logitsOf(mergeAdapters(model, adapters, parameters), [], new Map());
  expect(largest(trained, merged)).toBeLessThan(1e-5);

  // Beside LoRA without a change, the model is the one whose table has the trained rows.
  const rows = adapters.filter((a) => 'tokenIndices' in a.spec);
  const table = model.graph.initializers.get('wte.weight')!;
  const values = floatValues(table).slice();
  const [, width] = table.dims;
  TOKENS.forEach((token, k) =>
    values.set(parameters.get('wte.rows')!.subarray(k * width, (k + 1) * width), token * width),
  );
  const replaced = tensorOf(table.name, table.dtype, table.dims, values);
  const initializers = new Map(model.graph.initializers).set(table.name, replaced);
  const other = { ...model, graph: { ...model.graph, initializers } };
  expect(largest(await logitsOf(model, rows, parameters), await logitsOf(other, [], new Map()))).toBeLessThan(
    1e-5,
  );

  const plain = await logitsOf(model, [], new Map());
  expect(largest(trained, plain)).toBeGreaterThan(1e-2);
  const removed = await logitsOf(model, adapters, withoutAdapters(adapters, parameters));
  expect(largest(removed, plain)).toBeLessThan(1e-6);
});
