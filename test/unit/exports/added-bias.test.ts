import { copyFileSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { LORA_BIAS } from '../../../src/adapters/methods/lora';
import { openSession } from '../../../src/engine/onnxruntime/session';
import type { Experiment } from '../../../src/experiment/experiment';
import { dynamicModel } from '../../../src/exports/dynamic';
import { mergedModel, takesBias } from '../../../src/exports/merged';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { loadModel } from '../../../src/graph/file/load';
import { saveChanged, saveModel } from '../../../src/graph/file/save';
import { loadExperiment } from '../../../src/runs/experiment/load';
import { adaptModel } from '../../../src/training/task/adapted-model';
import { initialAdapters, perturbed } from '../../../src/training/task/initialize';
import type { Task } from '../../../src/training/task/task';
import { Lab } from '../../cli/lab';
import { emptyGraph, generator, modelOf, symmetric } from '../autodiff/check';

const [IN, OUT] = [32, 24];
const lab = new Lab();
afterAll(() => lab.remove());

const random = generator(1);
const numbers = (n: number) => Array.from({ length: n }, () => symmetric(random));
const constant = (g: GraphBuilder, ...dims: number[]) =>
  g.constant(DType.float, dims, numbers(dims.reduce((a, b) => a * b, 1)));
const quantized = (g: GraphBuilder) => {
  const bytes = Array.from({ length: IN * OUT }, () => Math.floor(255 * random()) - 127);
  return g.op('DequantizeLinear', [g.constant(DType.int8, [IN, OUT], bytes), g.scalar(0.01, DType.float)]);
};

/** Files with the layer `query` (or a part of it) that give y (rows, OUT), and how many nodes merging adds. */
const KINDS: [string, (g: GraphBuilder, x: string) => string, added: number][] = [
  [
    'its own bias in an Add',
    (g, x) => {
      const product = g.op('MatMul', [x, constant(g, IN, OUT)], {}, { name: '/query/MatMul' });
      return g.op('Add', [product, constant(g, OUT)], {}, { name: '/query/Add' });
    },
    0,
  ],
  [
    'its own bias in a Gemm with alpha',
    (g, x) =>
      g.op(
        'Gemm',
        [x, constant(g, OUT, IN), constant(g, OUT)],
        { transB: 1, alpha: { float: 0.5 } },
        {
          name: '/query/Gemm',
        },
      ),
    0,
  ],
  [
    'a bias that another node reads too',
    (g, x) => {
      const bias = constant(g, OUT);
      const product = g.op('MatMul', [x, constant(g, IN, OUT)], {}, { name: '/query/MatMul' });
      return g.op('Mul', [g.op('Add', [product, bias], {}, { name: '/query/Add' }), bias]);
    },
    0,
  ],
  ['no bias', (g, x) => g.op('MatMul', [x, constant(g, IN, OUT)], {}, { name: '/query/MatMul' }), 1],
  [
    'no bias in a Gemm',
    (g, x) => g.op('Gemm', [x, constant(g, OUT, IN)], { transB: 1 }, { name: '/query/Gemm' }),
    1,
  ],
  [
    'two calls',
    (g, x) => {
      const weight = constant(g, IN, OUT);
      const product = (name: string, of: string) => g.op('MatMul', [of, weight], {}, { name });
      return g.op('Mul', [product('/query/MatMul', x), product('/query/MatMul_1', g.op('Tanh', [x]))]);
    },
    2,
  ],
  [
    'a weight that an embedding has too',
    (g, x) => {
      const weight = constant(g, IN, OUT);
      const product = g.op('MatMul', [x, weight], {}, { name: '/query/MatMul' });
      return g.op('Add', [product, g.op('Gather', [weight, g.ints([0])])]);
    },
    1,
  ],
  [
    'a weight and a bias in a Gemm that are not its alone',
    (g, x) => {
      const [weight, bias] = [constant(g, IN, OUT), constant(g, OUT)];
      const product = g.op('Gemm', [x, weight, bias], {}, { name: '/query/Gemm' });
      return g.op('Mul', [g.op('Mul', [product, g.op('Gather', [weight, g.ints([0])])]), bias]);
    },
    1,
  ],
  [
    'a quantized weight in a Gemm, and a bias that another node reads too',
    (g, x) => {
      const bias = constant(g, OUT);
      return g.op('Mul', [g.op('Gemm', [x, quantized(g), bias], {}, { name: '/query/Gemm' }), bias]);
    },
    1,
  ],
  ['a quantized weight', (g, x) => g.op('MatMul', [x, quantized(g)], {}, { name: '/query/MatMul' }), 1],
];

function save(name: string, build: (g: GraphBuilder, x: string) => string): string {
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  g.op('Identity', [build(g, g.addInput('x', DType.float, ['rows', IN]))], {}, { outputs: ['y'] });
  graph.outputs.push({ name: 'y', dtype: DType.float, shape: ['rows', OUT] });
  const path = lab.path(`${name.replaceAll(' ', '-')}.onnx`);
  saveModel({ ...modelOf(graph), opsets: new Map([['', 17]]) }, path, 0);
  return path;
}

function adapted(path: string, output: string, targetModules: string[] = ['query']) {
  const spec = loadExperiment(lab.experiment, [
    `model.path=${path}`,
    'task.head=none',
    `adapter=${JSON.stringify({ method: 'lora', rank: 2, alpha: 6, loraBias: true, targetModules })}`,
  ]);
  const found = adaptModel({ ...spec, model: { ...spec.model, output } } as Experiment);
  const task = { ...found, spec, graph: { output } } as unknown as Task;
  return { task, parameters: perturbed(initialAdapters(found.adapters, 1), 2) };
}

const X = Float32Array.from({ length: 3 * IN }, () => symmetric(random));

async function output(path: string): Promise<Float32Array> {
  const session = await openSession(path);
  const { y } = await session.run({ x: { dtype: DType.float, dims: [3, IN], data: X } });
  await session.dispose();
  return y.data as Float32Array;
}

describe('merging a LoRA with a bias into an ONNX file', () => {
  it.each(KINDS)('whose layer has %s', async (name, build, added) => {
    const { task, parameters } = adapted(save(name, build), 'y');
    const { model, changed } = mergedModel(task, parameters);
    const folder = lab.path(`merged-${name}`);
    mkdirSync(folder);
    const path = join(folder, 'model.onnx');
    saveChanged(model, task.original, path, changed);
    const count = ({ graph }: { graph: { nodes: { opType: string }[] } }, type: string) =>
      graph.nodes.filter((n) => n.opType === type).length;
    expect(count(loadModel(path), 'Add') - count(task.original, 'Add')).toBe(added);

    const dynamic = lab.path(`dynamic-${name}.onnx`);
    saveModel(dynamicModel(task, parameters), dynamic);
    const [merged, wanted] = [await output(path), await output(dynamic)];
    merged.forEach((v, i) => expect(v).toBeCloseTo(wanted[i], 4));
    const unbiased = new Map(parameters).set(`query.${LORA_BIAS}`, new Float32Array(OUT));
    saveModel(dynamicModel(task, unbiased), dynamic);
    expect(Math.hypot(...(await output(dynamic)).map((v, i) => v - wanted[i]))).toBeGreaterThan(1e-2);
  });

  it('keeps a quantized weight quantized', async () => {
    const [, build] = KINDS.at(-1)!;
    const { task, parameters } = adapted(save('kept', build), 'y');
    const { model, changed } = mergedModel(task, parameters, { onRequantized: () => {} });
    mkdirSync(lab.path('kept'));
    const path = join(lab.path('kept'), 'model.onnx');
    saveChanged(model, task.original, path, changed);
    expect(loadModel(path).graph.nodes.map((n) => n.opType)).toEqual([
      'DequantizeLinear',
      'MatMul',
      'Add',
      'Identity',
    ]);
    // W is in steps of 0.01 before and after.
    saveModel(dynamicModel(task, parameters), lab.path('kept-dynamic.onnx'));
    const [merged, wanted] = [await output(path), await output(lab.path('kept-dynamic.onnx'))];
    const off = Math.max(...merged.map((v, i) => Math.abs(v - wanted[i])));
    const size = Math.max(...wanted.map(Math.abs));
    expect(off).toBeLessThan(0.02 * size);
  });

  it.each([
    // Attention's packed biases, and a MatMul whose bias SkipLayerNormalization adds.
    ['bert-fused', ['query', 'dense'], 'last_hidden_state'],
    ['llama-cached', ['q_proj'], 'logits'],
  ])('with fused operators: %s', (name, targets, read) => {
    const path = lab.path(`${name}.onnx`);
    copyFileSync(resolve(`test/fixtures/fused/${name}.onnx`), path);
    const { task, parameters } = adapted(path, read, targets);
    const takes = takesBias(task);
    expect(task.adapters.map(({ layer }) => takes(layer))).not.toContain(false);
    expect(() => mergedModel(task, parameters)).not.toThrow();
  });

  it('is refused where two decoders in one file would need a node each', () => {
    const path = lab.path('two.onnx');
    copyFileSync(resolve('test/fixtures/reference/more/past-merged.onnx'), path);
    const { task, parameters } = adapted(path, 'logits', ['q_proj']);
    expect(task.adapters.map(({ layer }) => takesBias(task)(layer))).not.toContain(true);
    expect(() => mergedModel(task, parameters)).toThrow(/holds two decoders, and .*\.bias\.merged cannot be/);
  });
});
