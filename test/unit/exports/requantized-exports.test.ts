import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openSession } from '../../../src/engine/onnxruntime/session';
import type { Experiment } from '../../../src/experiment/experiment';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { KeptOnDisk } from '../../../src/graph/file/kept-on-disk';
import { loadModel } from '../../../src/graph/file/load';
import { saveModel, saveChanged } from '../../../src/graph/file/save';
import { floatValues, readTensorBytes } from '../../../src/graph/values';
import type { RequantizedLayer } from '../../../src/protocol/export';
import { loadExperiment } from '../../../src/runs/experiment/load';
import { mergedModel } from '../../../src/exports/merged';
import { initialAdapters, perturbed } from '../../../src/training/task/initialize';
import { adaptModel } from '../../../src/training/task/adapted-model';
import type { Task } from '../../../src/training/task/task';
import { Lab } from '../../cli/lab';
import { emptyGraph, generator, modelOf, symmetric } from '../autodiff/check';

const [IN, OUT] = [64, 48];
const lab = new Lab();
afterAll(() => lab.remove());

const random = generator(1);
const draw = (n: number, of: () => number) => Array.from({ length: n }, of);
const byte = () => Math.floor(255 * random()) - 127;
const scale = () => 0.004 + 0.002 * random();

const KINDS: [string, (g: GraphBuilder, x: string) => void][] = [
  [
    'MatMulNBits',
    (g, x) => {
      const inputs = [
        x,
        g.constant(
          DType.uint8,
          [OUT, 2, 32],
          draw(OUT * 64, () => byte() + 127),
        ),
        g.constant(DType.float, [OUT, 2], draw(2 * OUT, scale)),
      ];
      const named = { domain: 'com.microsoft', name: '/query/MatMul_Q8', outputs: ['y'] };
      g.op('MatMulNBits', inputs, { K: IN, N: OUT, bits: 8, block_size: 32 }, named);
    },
  ],
  [
    'DequantizeLinear and Gemm',
    (g, x) => {
      const stored = [
        g.constant(DType.int8, [OUT, IN], draw(IN * OUT, byte)),
        g.constant(DType.float, [OUT], draw(OUT, scale)),
      ];
      const weight = g.op('DequantizeLinear', stored, { axis: 0 });
      g.op(
        'Gemm',
        [x, weight],
        { transB: 1, alpha: { float: 0.5 } },
        { name: '/query/Gemm', outputs: ['y'] },
      );
    },
  ],
  [
    'dynamic quantization',
    (g, x) => {
      const [q, s, zero] = g.ops('DynamicQuantizeLinear', [x], {}, { outputs: 3 });
      const weight = g.constant(DType.int8, [IN, OUT], draw(IN * OUT, byte));
      const weightZero = g.constant(
        DType.int8,
        [OUT],
        draw(OUT, () => 0),
      );
      const product = g.op(
        'MatMulInteger',
        [q, weight, zero, weightZero],
        {},
        { name: '/query/MatMul_quant' },
      );
      const both = g.op('Mul', [s, g.constant(DType.float, [OUT], draw(OUT, scale))]);
      g.op('Mul', [g.op('Cast', [product], { to: DType.float }), both], {}, { outputs: ['y'] });
    },
  ],
];

function adapted(name: string, build: (g: GraphBuilder, x: string) => void): Task {
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  build(g, g.addInput('x', DType.float, ['rows', IN]));
  graph.outputs.push({ name: 'y', dtype: DType.float, shape: ['rows', OUT] });
  const path = lab.path(`${name}.onnx`);
  const opsets = new Map([
    ['', 21],
    ['com.microsoft', 1],
  ]);
  saveModel({ ...modelOf(graph), opsets }, path, 0);
  const spec = loadExperiment(lab.experiment, [
    `model.path=${path}`,
    'task.head=none',
    'adapter={"method":"lora","rank":2,"targetModules":["query"]}',
  ]);
  const found = adaptModel({ ...spec, model: { ...spec.model, output: 'y' } } as Experiment);
  return { ...found, spec, graph: { output: 'y' } } as unknown as Task;
}

const X = Float32Array.from({ length: 2 * IN }, () => symmetric(random));

async function output(path: string): Promise<Float32Array> {
  const session = await openSession(path);
  const { y } = await session.run({ x: { dtype: DType.float, dims: [2, IN], data: X } });
  await session.dispose();
  return y.data as Float32Array;
}

const largest = (a: Float32Array, b: Float32Array) =>
  a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i])), 0);

describe('a merged export whose weights are quantized again', () => {
  it.each(KINDS)(
    'computes with the changed weights, in the operators and sizes of the file: %s',
    async (name, build) => {
      const task = adapted(name.replaceAll(' ', '-'), build);
      const parameters = perturbed(initialAdapters(task.adapters, 1), 2);
      const layers: RequantizedLayer[] = [];
      const folder = lab.path(`${name}-merged`);
      mkdirSync(folder);
      const kept = new KeptOnDisk(join(folder, 'kept'));
      const { model, changed } = mergedModel(task, parameters, {
        keep: (t) => kept.add(t),
        onRequantized: (layer) => layers.push(layer),
      });
      const path = join(folder, 'model.onnx');
      saveChanged(model, task.original, path, changed);
      kept.remove();

      expect(layers).toMatchObject([{ path: 'query' }]);
      expect(layers[0].error).toBeGreaterThan(0);
      expect(layers[0].error).toBeLessThan(0.01);
      const written = loadModel(path);
      expect(written.graph.nodes.map((n) => n.opType)).toEqual(
        task.original.graph.nodes.map((n) => n.opType),
      );
      for (const [key, t] of task.original.graph.initializers)
        expect(written.graph.initializers.get(key)).toMatchObject({ dtype: t.dtype, dims: t.dims });

      const before = await output(task.spec.model.path);
      const after = await output(path);
      const [{ layer }] = task.adapters;
      const W = layer.dequantize!();
      const [A, B] = ['A', 'B'].map((part) => [...parameters].find(([key]) => key.endsWith(`.${part}`))![1]);
      const rank = A.length / IN;
      const wanted = Float32Array.from({ length: 2 * OUT }, (_, at) => {
        const [row, o] = [Math.floor(at / OUT), at % OUT];
        let sum = 0;
        for (let i = 0; i < IN; i++) {
          let delta = 0;
          for (let r = 0; r < rank; r++) delta += B[o * rank + r] * A[r * IN + i];
          sum += X[row * IN + i] * (W[o * IN + i] + scaleOf(task) * delta);
        }
        return sum;
      });
      expect(largest(after, wanted)).toBeLessThan(0.3 * largest(before, wanted));
    },
  );

  it('changes only the layer of an adapter where another one reads the same weight', () => {
    const shared = (g: GraphBuilder, x: string): void => {
      const stored = [
        g.constant(
          DType.uint8,
          [IN, 2, 32],
          draw(IN * 64, () => byte() + 127),
        ),
        g.constant(DType.float, [IN, 2], draw(2 * IN, scale)),
      ];
      const attributes = { K: IN, N: IN, bits: 8, block_size: 32 };
      const named = (name: string, y: string) => ({ domain: 'com.microsoft', name, outputs: [y] });
      g.op('MatMulNBits', [x, ...stored], attributes, named('/key/MatMul_Q8', 'z'));
      g.op('MatMulNBits', ['z', ...stored], attributes, named('/query/MatMul_Q8', 'y'));
    };
    const task = adapted('shared', shared);
    const parameters = perturbed(initialAdapters(task.adapters, 1), 2);
    const { model } = mergedModel(task, parameters, { onRequantized: () => {} });
    const [key, query] = model.graph.nodes;
    expect(key.inputs).toEqual(task.original.graph.nodes[0].inputs);
    expect(query.inputs.slice(1, 3)).toEqual(['query.weight.merged', 'query.weight.merged.scales']);
    const bytes = (name: string) => Buffer.from(readTensorBytes(model.graph.initializers.get(name)!));
    expect(bytes(key.inputs[1]).equals(bytes(query.inputs[1]))).toBe(false);
    expect(floatValues(model.graph.initializers.get(key.inputs[2])!)).toEqual(
      floatValues(task.original.graph.initializers.get(key.inputs[2])!),
    );
  });
});

const scaleOf = ({ spec: { adapter } }: Task): number =>
  'alpha' in adapter && 'rank' in adapter ? adapter.alpha / adapter.rank : 1;
