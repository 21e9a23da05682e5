import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { adapterSpec, type ReferenceCase } from '../../../src/cli/commands/reference/case';
import { selectAdapters } from '../../../src/adapters/targets/select';
import { maskName } from '../../../src/adapters/inject';
import type { HostTensors, TaskOptions } from '../../../src/engine/stepper';
import { probe } from '../../../src/engine/onnxruntime/probe';
import { openTask } from '../../../src/engine/open-task';
import type { Place, TfjsBackend } from '../../../src/engine/place';
import { LABELS, type TaskGraphSpec } from '../../../src/tasks/task-graph';
import { loadBackend } from '../../../src/engine/tfjs/backends';
import { DType } from '../../../src/graph/dtype';
import type { TensorInfos } from '../../../src/graph/tensor-infos';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { loadModel } from '../../../src/graph/file/load';
import type { Model } from '../../../src/graph/model';
import { prepareModel } from '../../../src/graph/prepare';
import type { AuroraError } from '../../../src/base/errors';
import { modelFile } from '../../reference/files';
import { scratchFolder } from '../../scratch';

process.env.ORT_DISABLE_TELEMETRY = '1';
const folder = scratchFolder('tfjs');

const BATCH = 3;
const LENGTH = 6;
let c: ReferenceCase;
let model: Model;
let infos: TensorInfos;
let parameters: Map<string, Float32Array>;

beforeAll(async () => {
  const file = modelFile('bert-aurora.json');
  c = file.case;
  model = prepareModel(loadModel(file.modelPath));
  infos = await probe(model, folder);
  parameters = new Map(Object.entries(c.trainable).map(([name, a]) => [name, Float32Array.from(a.data)]));
});

const spec = (dropout = 0): TaskGraphSpec => {
  const wanted = { ...adapterSpec(c), dropout };
  const { adapters } = selectAdapters(model.graph, findLinearLayers(model.graph), wanted);
  const { pooling, weight, bias } = c.head!;
  const classes = c.trainable[weight].dims[0];
  return {
    objective: c.objective,
    head: { pooling, classes, weight, bias },
    output: 'last_hidden_state',
    adapters,
  };
};

let opened = 0;
const open = async (place: Place, dropout = 0, options: TaskOptions = {}) =>
  (await openTask(model, infos, spec(dropout), join(folder, String(opened++)), { ...options, place }))
    .stepper;
const on = (device: TfjsBackend): Place => ({ engine: 'tfjs', device });

function inputs(dropout = false, id = 5n): HostTensors {
  const int64 = (dims: number[], value: (i: number) => bigint) => ({
    dtype: DType.int64,
    dims,
    data: BigInt64Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => value(i)),
  });
  const dims = [BATCH, LENGTH];
  const all: HostTensors = {
    input_ids: int64(dims, (i) => (i === 0 ? id : BigInt((i * 7) % 40))),
    attention_mask: int64(dims, (i) => (i % LENGTH < 4 ? 1n : 0n)),
    token_type_ids: int64(dims, () => 0n),
    [LABELS]: int64([BATCH], (i) => BigInt(i % 2)),
  };
  const size = [...dims, infos.get('last_hidden_state')!.shape[2] as number];
  if (dropout)
    for (const path of c.modules)
      all[maskName(path, 0)] = {
        dtype: DType.bool,
        dims: size,
        data: Uint8Array.from({ length: size.reduce((a, b) => a * b) }, (_, i) => Number((i * 11) % 5 > 0)),
      };
  return all;
}

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (v, i) => Math.abs(v - b[i])));

describe.each<TfjsBackend>(['cpu', 'wasm'])('a step on %s', (device) => {
  it('leaks no tensor, even if it fails, and dispose frees them all', async () => {
    await loadBackend({ place: on(device) });
    const before = tf.memory().numTensors;
    const stepper = await open(on(device), 0.1);
    await stepper.step(inputs(true), parameters, 1);
    await stepper.evaluate(inputs(), parameters, true);
    // Constants are uploaded on first use.
    const kept = tf.memory().numTensors;
    await stepper.step(inputs(true), parameters, 1);
    await stepper.evaluate(inputs(), parameters, true);
    expect(tf.memory().numTensors).toBe(kept);
    await expect(stepper.step(inputs(true, 1n << 40n), parameters, 1)).rejects.toThrow();
    await expect(stepper.evaluate(inputs(false, 1n << 40n), parameters)).rejects.toThrow();
    expect(tf.memory().numTensors).toBe(kept);
    await stepper.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('matches ONNX Runtime, with dropout masks, gradient scale and observed z', async () => {
    const [ours, theirs] = [
      await open(on(device), 0.2),
      await open({ engine: 'onnxruntime', device: 'cpu' }, 0.2),
    ];
    const [a, b] = [
      await ours.step(inputs(true), parameters, 0.25),
      await theirs.step(inputs(true), parameters, 0.25),
    ];
    expect(a.lossSum).toBeCloseTo(b.lossSum, 5);
    expect(a.count).toBe(b.count);
    expect([...a.gradients.keys()].sort()).toEqual([...b.gradients.keys()].sort());
    for (const [name, gradient] of a.gradients) {
      const expected = b.gradients.get(name)!;
      const largest = Math.max(...expected.map(Math.abs));
      expect(largest, name).toBeGreaterThan(0);
      expect(largestDifference(gradient, expected) / largest, name).toBeLessThan(1e-4);
    }
    const [x, y] = [
      await ours.evaluate(inputs(), parameters, true),
      await theirs.evaluate(inputs(), parameters, true),
    ];
    expect(x.logits.dims).toEqual(y.logits.dims);
    expect([...x.observed.keys()]).toEqual([...y.observed.keys()]);
    for (const [path, z] of x.observed) {
      expect(z.map((t) => t.dims)).toEqual(y.observed.get(path)!.map((t) => t.dims));
      const [p, q] = [z[0].data, y.observed.get(path)![0].data] as Float32Array[];
      expect(largestDifference(p, q)).toBeLessThan(1e-4);
    }
    await ours.dispose();
    await theirs.dispose();
  });

  it('gives the same bits again, whatever another backend does in between', async () => {
    const stepper = await open(on(device));
    const other = await open(on(device === 'cpu' ? 'wasm' : 'cpu'));
    const first = await stepper.step(inputs(), parameters, 1);
    await other.step(inputs(), parameters, 1);
    const again = await stepper.step(inputs(), parameters, 1);
    expect(again).toEqual(first);
    await stepper.dispose();
    await other.dispose();
  });
});

describe('what cannot run is reported before training', () => {
  it('for an integer beyond 32 bits, with its node', async () => {
    const stepper = await open(on('cpu'));
    await expect(stepper.evaluate(inputs(false, 1n << 40n), parameters)).rejects.toMatchObject({
      kind: 'operator',
      message: expect.stringContaining('1099511627776') as string,
    });
    await stepper.dispose();
  });

  it.each<[string, TaskOptions, RegExp]>([
    ['mixed precision', { precision: 'mixed' }, /float32 only/],
    ['int8', { precision: 'int8' }, /float32 only/],
    ['gradient checkpointing', { gradientCheckpointing: true }, /does not support gradient checkpointing/],
  ])('for %s', async (_, options, message) => {
    await expect(open(on('cpu'), 0, options)).rejects.toMatchObject({
      kind: 'experiment',
      message: expect.stringMatching(message) as string,
    });
  });

  it('for adapters that the loss does not depend on, with the same message as ONNX Runtime', async () => {
    const [first] = spec().adapters;
    const early = { ...spec(), output: first.layer.calls[0].node.inputs[0] };
    const opening = (place: Place) =>
      openTask(model, infos, early, join(folder, String(opened++)), { place }).catch((e: AuroraError) => e);
    const ours = await opening(on('cpu'));
    expect(ours).toMatchObject({
      kind: 'targets',
      message: expect.stringContaining(first.layer.path) as string,
    });
    expect(ours).toEqual(await opening({ engine: 'onnxruntime', device: 'cpu' }));
  });
});
