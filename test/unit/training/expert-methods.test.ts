import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { selectAdapters } from '../../../src/adapters/targets/select';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import { openTask } from '../../../src/engine/open-task';
import { probe } from '../../../src/engine/onnxruntime/probe';
import type { TaskOptions } from '../../../src/engine/stepper';
import type { AdapterSpec } from '../../../src/experiment/methods';
import { DType } from '../../../src/graph/dtype';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { prepareModel } from '../../../src/graph/prepare';
import type { HostTensors } from '../../../src/graph/tensor-infos';
import { LABELS } from '../../../src/tasks/task-graph';
import { initialAdapters, perturbed } from '../../../src/training/task/initialize';
import { scratchFolder } from '../../scratch';

const folder = scratchFolder('expert-methods');
const LOW = { rank: 2, alpha: 4, dropout: 0, initialization: 'gaussian', useRslora: false };
const SPLINE = { gridSize: 5, splineOrder: 3, gridRange: [-1, 1], activation: 'tanh' };
const METHODS: Record<string, object> = {
  lora: { ...LOW, loraBias: false },
  aurora: { ...LOW, ...SPLINE, fixed: true, learnable: true },
  moslora: LOW,
  dora: LOW,
  sinelora: { ...LOW, frequency: 2 },
  vera: { rank: 2, dropout: 0, dInitial: 0.1, projectionSeed: 0 },
  fourierft: { frequencies: 10, scaling: 10, dropout: 0, locationSeed: 1 },
  peanut: { rank: 2, depth: 1, actFn: 'gelu', scaling: 1 },
  hira: LOW,
  loha: { rank: 2, alpha: 4 },
  lokr: { rank: 2, alpha: 4, decomposeBoth: false, decomposeFactor: -1 },
  delora: { rank: 2, lambda: 2, dropout: 0 },
  full: {},
  bitfit: {},
};

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

describe('adapters on experts, of which some have no token', () => {
  const original = loadModelFrom(modelSource(resolve('test/fixtures/hf/gpt-oss')));
  const model = prepareModel(original);
  const layers = findLinearLayers(model.graph);

  async function step(method: string, own: object, options: TaskOptions) {
    const targetModules = ['gate_up_proj', 'down_proj'];
    const spec = { method, ...own, targetModules } as AdapterSpec;
    const { adapters } = selectAdapters(model.graph, layers, spec, 'logits');
    const task = { objective: 'causal-lm' as const, output: 'logits', adapters };
    const path = join(folder, `${method}-${JSON.stringify(options).replace(/\W/g, '')}`);
    const { stepper } = await openTask(model, await probe(model, folder), task, path, options);
    const result = await stepper.step(BATCH, perturbed(initialAdapters(adapters, 3), 4), 1 / 2);
    await stepper.dispose();
    return result;
  }

  it.each(Object.entries(METHODS))('%s', async (method, own) => {
    const { lossSum, gradients } = await step(method, own, { threads: 1 });
    expect(lossSum).toBeGreaterThan(0);
    const of = (layer: number, expert: number) =>
      [...gradients].filter(([name]) => name.startsWith(`layers.${layer}.mlp.experts.${expert}.`));
    const isZero = (layer: number, expert: number) =>
      of(layer, expert).every(([, values]) => values.every((v) => v === 0));
    for (const layer of [0, 1])
      expect([0, 1, 2, 3].filter((e) => isZero(layer, e)).length).toBeGreaterThan(0);

    const again = await step(method, own, { threads: 1, gradientCheckpointing: true });
    expect([...again.gradients]).toEqual([...gradients]);

    const other = await step(method, own, { place: { engine: 'tfjs', device: 'cpu' } });
    expect(other.lossSum).toBeCloseTo(lossSum, 3);
    for (const [name, values] of gradients) {
      const largest = values.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-3);
      other.gradients
        .get(name)!
        .forEach((v, i) => expect(Math.abs(v - values[i]) / largest).toBeLessThan(1e-3));
    }
  });
});
