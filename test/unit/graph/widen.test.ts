import { expect, it } from 'vitest';
import { openSession } from '../../../src/engine/onnxruntime/session';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { findLinearLayers } from '../../../src/graph/layers/linear';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { prepareModel } from '../../../src/graph/prepare';
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

it('weights of bitsandbytes are refused by name', () => {
  const graph = emptyGraph();
  new GraphBuilder(graph, '').op(
    'MatMulBnb4',
    ['x'],
    {},
    { domain: 'com.microsoft', name: '/query/MatMul_Bnb4' },
  );
  expect(() => prepareModel(modelOf(graph))).toThrow(/\/query\/MatMul_Bnb4 is a MatMulBnb4/);
});
