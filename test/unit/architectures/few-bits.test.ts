import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mergeAdapters } from '../../../src/adapters/merge';
import { layerValues } from '../../../src/adapters/methods/layer-values';
import { selectAdapters } from '../../../src/adapters/targets/select';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import { openForward, openTask } from '../../../src/engine/open-task';
import { probe } from '../../../src/engine/onnxruntime/probe';
import { DType } from '../../../src/graph/dtype';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { isFileRef, type Model } from '../../../src/graph/model';
import { prepareModel } from '../../../src/graph/prepare';
import type { HostTensors } from '../../../src/graph/tensor-infos';
import { LABELS } from '../../../src/tasks/task-graph';
import { LAYOUTS, writeFolders } from '../../fixtures/few-bits/write.mjs';
import { scratchFolder } from '../../scratch';
import { loraSpec } from '../specs';

const root = scratchFolder('few-bits');
const load = (folder: string) =>
  prepareModel(loadModelFrom(modelSource(folder), 'float32', join(root, 'cache')));

const TEXTS = [
  [5, 9, 3, 11, 2, 6, 40],
  [7, 60, 8, 8, 1, 0, 0],
];
const LENGTHS = [7, 5];
const ints = (rows: readonly (readonly number[])[]) => ({
  dtype: DType.int64,
  dims: [rows.length, rows[0].length],
  data: BigInt64Array.from(rows.flat(), BigInt),
});
const TOKENS: HostTensors = {
  input_ids: ints(TEXTS),
  attention_mask: ints(TEXTS.map((t, r) => t.map((_, i) => Number(i < LENGTHS[r])))),
};
const STEP: HostTensors = {
  ...TOKENS,
  [LABELS]: ints(TEXTS.map((t, r) => t.map((_, i) => (i + 1 < LENGTHS[r] ? t[i + 1] : -100)))),
};

async function logits(model: Model): Promise<Float32Array> {
  const session = await openForward(model, ['logits'], mkdtempSync(join(root, 'forward-')));
  const { logits: found } = await session.run(TOKENS);
  await session.dispose();
  return found.data as Float32Array;
}

const TARGETS = ['q_proj', 'v_proj', 'down_proj', 'c_attn', 'c_proj'];

/** The adapters' gradients, and the logits after merging them. */
async function step(model: Model) {
  const layers = findLinearLayers(model.graph);
  const targetModules = TARGETS.filter((t) => layers.some((l) => l.path.endsWith(t)));
  const { adapters } = selectAdapters(model.graph, layers, loraSpec({ targetModules, rank: 3 }), 'logits');
  const infos = await probe(model, undefined, [{ input_ids: [2, 7], attention_mask: [2, 7] }]);
  const task = { objective: 'token-cross-entropy' as const, output: 'logits', adapters };
  const { stepper, trainable } = await openTask(model, infos, task, mkdtempSync(join(root, 'step-')));
  const parameters = new Map(
    trainable.map(({ name, dims }, k) => {
      const count = dims.reduce((a, b) => a * b, 1);
      return [name, Float32Array.from({ length: count }, (_, i) => 0.1 * Math.sin(i + 7 * k))];
    }),
  );
  const { lossSum, gradients } = await stepper.step(STEP, parameters, 1 / 10);
  await stepper.dispose();
  const merged = await logits(mergeAdapters(model, adapters, parameters));
  return { lossSum, gradients, merged, paths: adapters.map((a) => a.layer.path) };
}

function expectNear(found: ArrayLike<number>, wanted: ArrayLike<number>): void {
  expect(found).toHaveLength(wanted.length);
  const scale = Array.from(wanted).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const off = Array.from(wanted).reduce((most, v, i) => Math.max(most, Math.abs(v - found[i])), 0);
  expect(scale).toBeGreaterThan(0);
  expect(off / scale).toBeLessThan(2e-5);
}

describe('a folder in few bits is its dequantized weights in float32', () => {
  it.each(Object.keys(LAYOUTS))('%s', async (layout) => {
    const folders = writeFolders(join(root, layout), layout);
    const [few, floats] = [load(folders.quantized), load(folders.floats)];
    const layers = (model: Model) =>
      findLinearLayers(model.graph).map((l) => [l.path, l.inFeatures, l.outFeatures, l.hasBias]);
    expect(layers(few)).toEqual(layers(floats));
    for (const [i, layer] of findLinearLayers(few.graph).entries()) {
      if (layer.plain) continue;
      expect(isFileRef(layer.weight.data)).toBe(true);
      const other = findLinearLayers(floats.graph)[i];
      expectNear(layerValues(layer).weight(), layerValues(other).weight());
    }
    expectNear(await logits(few), await logits(floats));
    const [own, wanted] = [await step(few), await step(floats)];
    expect(own.paths).toEqual(wanted.paths);
    expect(own.lossSum).toBeCloseTo(wanted.lossSum, 3);
    let learning = 0;
    for (const [name, gradient] of wanted.gradients) {
      const found = own.gradients.get(name)!;
      // An expert that no token has learns nothing.
      if (gradient.every((v) => v === 0)) expect(found.every((v) => v === 0)).toBe(true);
      else {
        learning++;
        expectNear(found, gradient);
      }
    }
    expect(learning).toBeGreaterThan(7);
    expectNear(own.merged, wanted.merged);
  });
});
