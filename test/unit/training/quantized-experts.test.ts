import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { selectAdapters } from '../../../src/adapters/targets/select';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import { openTask } from '../../../src/engine/open-task';
import { probe } from '../../../src/engine/onnxruntime/probe';
import type { AdapterSpec } from '../../../src/experiment/methods';
import { DType } from '../../../src/graph/dtype';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { prepareModel } from '../../../src/graph/prepare';
import type { HostTensors } from '../../../src/graph/tensor-infos';
import { quantizeModel } from '../../../src/quantize/quantize';
import { LABELS } from '../../../src/tasks/task-graph';
import { initialAdapters, perturbed } from '../../../src/training/task/initialize';
import { scratchFolder } from '../../scratch';

const folder = scratchFolder('quantized-experts');
const MIXTRAL = modelSource(resolve('test/fixtures/hf/mixtral'));
const LORA = { method: 'lora', rank: 2, alpha: 4, dropout: 0, initialization: 'gaussian' };

/** One token three times: two of four experts in each layer get none. */
const ints = (value: (i: number) => number) => ({
  dtype: DType.int64,
  dims: [1, 3],
  data: BigInt64Array.from({ length: 3 }, (_, i) => BigInt(value(i))),
});
const BATCH: HostTensors = {
  input_ids: ints(() => 5),
  attention_mask: ints(() => 1),
  [LABELS]: ints((i) => 7 * i + 3),
};

async function step(source: ReturnType<typeof modelSource>, name: string) {
  const model = prepareModel(loadModelFrom(source));
  const spec = { ...LORA, targetModules: ['v_proj'] } as AdapterSpec;
  const { adapters } = selectAdapters(model.graph, findLinearLayers(model.graph), spec, 'logits');
  const task = { objective: 'causal-lm' as const, output: 'logits', adapters };
  const infos = await probe(model, folder);
  const { stepper } = await openTask(model, infos, task, join(folder, name), { threads: 1 });
  const result = await stepper.step(BATCH, perturbed(initialAdapters(adapters, 3), 4), 1 / 2);
  await stepper.dispose();
  return result;
}

it.each([4, 8] as const)('experts in %i bits, of which some have no token', async (bits) => {
  const out = join(folder, `mixtral-${bits}.onnx`);
  quantizeModel(MIXTRAL, out, { bits, blockSize: 32, symmetric: false });
  const exact = await step(MIXTRAL, `float-${bits}`);
  const { lossSum, gradients } = await step(modelSource(out), `quantized-${bits}`);
  const tolerance = bits === 8 ? 0.02 : 0.3;
  expect(Math.abs(lossSum - exact.lossSum) / exact.lossSum).toBeLessThan(tolerance);
  for (const [name, values] of gradients) {
    const wanted = exact.gradients.get(name)!;
    const largest = Math.max(...wanted.map(Math.abs));
    expect(Math.max(...values.map((v, i) => Math.abs(v - wanted[i]!))) / largest).toBeLessThan(2 * tolerance);
  }
});
