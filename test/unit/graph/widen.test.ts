import { expect, it } from 'vitest';
import { openSession } from '../../../src/engine/onnxruntime/session';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import type { Graph } from '../../../src/graph/model';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { prepareModel } from '../../../src/graph/prepare';
import { summarize } from '../../../src/graph/summary';
import { emptyGraph, modelOf } from '../autodiff/check';

it.each([
  ['float16', DType.float16],
  ['bfloat16', DType.bfloat16],
])('a model in %s computes in float32, with its weights in the file', async (_, half) => {
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  const x = g.addInput('x', DType.float, [1, 80]);
  // Large enough to stay in the file, and exact in both types.
  const weight = g.constant(
    half,
    [80, 60],
    Array.from({ length: 4800 }, (_, i) => (i % 7) - 3),
  );
  const product = g.op('MatMul', [g.op('Cast', [x], { to: half }), weight], {}, { name: '/query/MatMul' });
  const sum = g.op('Add', [product, g.constant(half, [60], new Array<number>(60).fill(0.5))]);
  g.op('Identity', [sum], {}, { outputs: ['y'] });
  graph.outputs.push({ name: 'y', dtype: half, shape: [1, 60] });
  const wide = prepareModel(modelOf(graph));
  expect(wide.graph.initializers.get(weight)?.dtype).toBe(half);
  expect(findLinearLayers(wide.graph)).toMatchObject([{ path: 'query', hasBias: true }]);
  const session = await openSession(encodeModel(wide));
  // Above the largest float16, and between two of its neighbors.
  const values = Float32Array.from({ length: 80 }, (_, i) => (i === 0 ? 70000 : 1.0001));
  const { y } = await session.run({ x: { dtype: DType.float, dims: [1, 80], data: values } });
  await session.dispose();
  let wanted = 0.5;
  for (let i = 0; i < 80; i++) wanted += values[i] * (((i * 60) % 7) - 3);
  expect(y.dtype).toBe(DType.float);
  expect(y.data[0]).toBeCloseTo(wanted, 1);
});

it('large weights in float16 that only a subgraph reads are widened', async () => {
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  const table = g.constant(
    DType.float16,
    [80, 60],
    Array.from({ length: 4800 }, (_, i) => (i % 7) - 3),
  );
  const weight = g.constant(DType.float16, [60, 80], new Array<number>(4800).fill(0.5));
  const branch = (build: (inner: GraphBuilder) => void): Graph => {
    const within = emptyGraph();
    build(new GraphBuilder(within, 'branch'));
    within.outputs.push({ name: within.nodes.at(-1)!.outputs[0], dtype: DType.float16, shape: undefined });
    return within;
  };
  const row = g.addInput('row', DType.int64, [1]);
  const then_branch = branch((b) => b.op('MatMul', [b.op('Gather', [table, row]), weight]));
  const else_branch = branch((b) => b.op('MatMul', [b.op('Transpose', [weight]), weight]));
  const node = g.op('If', [g.addInput('choice', DType.bool, [])], {}, { outputs: ['y'] });
  for (const [name, value] of Object.entries({ then_branch, else_branch }))
    graph.nodes.at(-1)!.attributes.set(name, { type: 'graph', value });
  graph.outputs.push({ name: node, dtype: DType.float16, shape: undefined });
  const session = await openSession(encodeModel(prepareModel(modelOf(graph))));
  const run = (choice: number) =>
    session.run({
      choice: { dtype: DType.bool, dims: [], data: Uint8Array.of(choice) },
      row: { dtype: DType.int64, dims: [1], data: BigInt64Array.of(1n) },
    });
  const [{ y: looked }, { y: product }] = [await run(1), await run(0)];
  await session.dispose();
  let sum = 0;
  for (let i = 0; i < 60; i++) sum += 0.5 * (((60 + i) % 7) - 3);
  expect([looked.dtype, looked.data[0], product.data[0]]).toEqual([DType.float, sum, 15]);
});

it('a weight that the file widens itself is widened once', () => {
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  const x = g.addInput('x', DType.float, [1, 80]);
  const weight = g.constant(DType.bfloat16, [80, 60], new Array<number>(4800).fill(1));
  g.op('MatMul', [x, g.op('Cast', [weight], { to: DType.float })], {}, { outputs: ['y'] });
  graph.outputs.push({ name: 'y', dtype: DType.float, shape: [1, 60] });
  const wide = prepareModel(modelOf(graph));
  expect(wide.graph.nodes.map((n) => n.opType)).toEqual(['Cast', 'MatMul']);
});

it('scales in float16 become float32 constants, however many, and a merged weight has the type of the file', () => {
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  const [K, N, blocks] = [512, 320, 16];
  const inputs = [
    g.addInput('x', DType.float16, [1, K]),
    g.constant(DType.uint8, [N, blocks, 16], new Array<number>(N * blocks * 16).fill(0x9a)),
    g.constant(DType.float16, [N, blocks], new Array<number>(N * blocks).fill(0.5)),
  ];
  const named = { domain: 'com.microsoft', name: '/query/MatMul_Q4', outputs: ['y'] };
  g.op('MatMulNBits', inputs, { K, N, bits: 4, block_size: 32 }, named);
  graph.outputs.push({ name: 'y', dtype: DType.float16, shape: [1, N] });
  const model = modelOf(graph);
  const [layer] = findLinearLayers(prepareModel(model).graph);
  expect(layer).toMatchObject({ path: 'query', valueType: DType.float });
  // 10 − 8 and 9 − 8, times the scale.
  expect([...layer.dequantize!().subarray(0, 2)]).toEqual([1, 0.5]);
  expect(findLinearLayers(graph)[0].valueType).toBe(DType.float16);
  expect(summarize(model).parameters).toBe(K * N);
});
