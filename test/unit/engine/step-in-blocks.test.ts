import { expect, it } from 'vitest';
import { selectAdapters } from '../../../src/adapters/targets/select';
import { encoderModel } from '../../../src/checks/doctor/encoder';
import { deviceGraph } from '../../../src/engine/onnxruntime/device-graph';
import { probe } from '../../../src/engine/onnxruntime/probe';
import { openSession } from '../../../src/engine/onnxruntime/session';
import { GRAD_SCALE } from '../../../src/engine/onnxruntime/step-constants';
import { trainingGraph } from '../../../src/engine/onnxruntime/training-graph';
import { DType } from '../../../src/graph/dtype';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { elementCount, type Model } from '../../../src/graph/model';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { prepareModel } from '../../../src/graph/prepare';
import type { HostTensors } from '../../../src/graph/tensor-infos';
import { declareSizes } from '../../../src/graph/sizes/sizes';
import { buildTaskGraph, type TaskGraph } from '../../../src/tasks/task-graph';
import { auroraSpec } from '../specs';
import { scratchFolder } from '../../scratch';

async function deepTask(layers: number, isStep: boolean): Promise<TaskGraph> {
  const size = { layers, hidden: 16, heads: 2, feedForward: 32, vocabulary: 50, positions: 64 };
  const model = prepareModel(encoderModel(size));
  const spec = auroraSpec({ targetModules: 'all-linear' });
  const { adapters } = selectAdapters(model.graph, findLinearLayers(model.graph), spec, 'last_hidden_state');
  const head = { pooling: 'mean', classes: 3, weight: 'head.weight', bias: 'head.bias' } as const;
  const task = { objective: 'cross-entropy', head, output: 'last_hidden_state', adapters } as const;
  return buildTaskGraph(model, await probe(model), task, isStep, isStep);
}

function feedsOf({ model: { graph } }: TaskGraph): HostTensors {
  const feeds: HostTensors = {
    [GRAD_SCALE]: { dtype: DType.float, dims: [], data: Float32Array.of(0.5) },
  };
  for (const { name, dtype, shape } of graph.inputs) {
    const dims = shape!.map((d, axis) => (typeof d === 'number' ? d : axis === 0 ? 2 : 6));
    const length = elementCount(dims);
    feeds[name] =
      dtype === DType.int64
        ? {
            dtype,
            dims,
            data: BigInt64Array.from({ length }, (_, i) => BigInt(/mask/.test(name) ? 1 : i % 2)),
          }
        : { dtype, dims, data: Float32Array.from({ length }, (_, i) => 0.1 * Math.sin(i)) };
  }
  return feeds;
}

async function run(model: Model, feeds: HostTensors, fetches: string[], optimization: 'products' | 'all') {
  const session = await openSession(encodeModel(model), { optimization });
  const out = await session.run(feeds, fetches);
  await session.dispose();
  return out;
}

const isInBlocks = ({ graph }: Model) => graph.nodes.every((n) => n.opType === 'If');

it('a step of a deep model with gradient checkpointing has the same loss and gradients in blocks', async () => {
  const whole = await deepTask(8, true);
  const { model: step, gradients } = await trainingGraph(whole, scratchFolder('step-in-blocks'), {
    gradientCheckpointing: true,
  });
  const blocks = deviceGraph(step, 'cpu', 'checkpointed-step');
  expect(isInBlocks(blocks)).toBe(true);
  const feeds = feedsOf(whole);
  const fetches = [whole.lossSum, ...gradients.values()];
  // Without blocks and sizes, opening it takes longest.
  const sized = { ...step, graph: declareSizes(step.graph) };
  const expected = await run(sized, feeds, fetches, 'products');
  const found = await run(blocks, feeds, fetches, 'products');
  for (const [name, { dims, data }] of Object.entries(expected)) {
    expect(found[name]!.dims).toEqual(dims);
    const [a, b] = [data as Float32Array, found[name]!.data as Float32Array];
    const scale = Math.max(...a.map(Math.abs), 1e-6);
    expect(Math.max(...a.map((v, i) => Math.abs(v - b[i]!))) / scale, name).toBeLessThan(1e-4);
  }
});

it('an evaluation of a deep model has the same bits in blocks', async () => {
  const whole = await deepTask(12, false);
  const blocks = deviceGraph(whole.model, 'cpu');
  expect(isInBlocks(blocks)).toBe(true);
  const feeds = feedsOf(whole);
  delete feeds[GRAD_SCALE];
  const fetches = [whole.lossSum, whole.count, whole.logits];
  expect(await run(blocks, feeds, fetches, 'all')).toEqual(await run(whole.model, feeds, fetches, 'all'));
});
