import { describe, expect, it } from 'vitest';
import { probe } from '../../../../src/engine/onnxruntime/probe';
import { openSession } from '../../../../src/engine/onnxruntime/session';
import { differentiate } from '../../../../src/graph/autodiff/differentiate';
import { GraphBuilder } from '../../../../src/graph/builder';
import { DType } from '../../../../src/graph/dtype';
import { findLinearLayers } from '../../../../src/graph/layers/linear';
import type { Model } from '../../../../src/graph/model';
import { encodeModel } from '../../../../src/graph/onnx/encode';
import { joinDynamic } from '../../../../src/graph/quantized/dynamic-quantization';
import { emptyGraph, generator, modelOf, symmetric } from '../../autodiff/check';

const [ROWS, IN, OUT] = [3, 32, 6];

/** A model of x (rows, in) that `build` writes. */
function model(build: (g: GraphBuilder, x: string) => void): Model {
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  build(g, g.addInput('x', DType.float, ['rows', IN]));
  graph.outputs.push({ name: 'y', dtype: DType.float, shape: undefined });
  return { ...modelOf(graph), opsets: new Map([['', 21]]) };
}

/** The gradient of Σ y · dy. */
async function gradient(of: Model, x: Float32Array, dy: Float32Array): Promise<Float32Array> {
  const graph = { ...of.graph, nodes: [...of.graph.nodes], inputs: [...of.graph.inputs] };
  const infos = await probe(of);
  const g = new GraphBuilder(graph, '/test');
  g.addInput('dy', DType.float, infos.get('y')!.shape);
  const dx = differentiate(graph, infos, new Map([['y', 'dy']]), ['x']).get('x')!;
  graph.outputs = [{ name: dx, dtype: DType.float, shape: undefined }];
  const session = await openSession(encodeModel({ ...of, graph }));
  const out = await session.run({
    x: { dtype: DType.float, dims: [ROWS, IN], data: x },
    dy: { dtype: DType.float, dims: [ROWS, dy.length / ROWS], data: dy },
  });
  await session.dispose();
  return out[dx].data as Float32Array;
}

const random = generator(1);
const draw = (n: number) => Float32Array.from({ length: n }, () => symmetric(random));
const integers = (n: number, low: number, high: number) =>
  Array.from({ length: n }, () => low + Math.floor(random() * (high - low)));
const bytes = integers(IN * OUT, -128, 128);
const nibbles = integers(IN * OUT, -8, 8);
const scales = (n: number) => Array.from({ length: n }, () => 0.01 + 0.01 * random());

function dynamic(g: GraphBuilder, x: string): void {
  const [q, scale, zero] = g.ops('DynamicQuantizeLinear', [x], {}, { outputs: 3 });
  const weight = g.constant(DType.int8, [IN, OUT], bytes);
  const zeros = g.constant(DType.int8, [OUT], integers(OUT, -4, 4));
  const product = g.op('MatMulInteger', [q, weight, zero, zeros], {}, { name: '/query/MatMul_quant' });
  const both = g.op('Mul', [scale, g.constant(DType.float, [OUT], scales(OUT))]);
  g.op('Mul', [g.op('Cast', [product], { to: DType.float }), both], {}, { outputs: ['y'] });
}

const stored =
  (dtype: number, axis: number, blockSize: number, scaleDims: number[]) => (g: GraphBuilder, x: string) => {
    const count = scaleDims.reduce((a, b) => a * b, 1);
    const values = dtype === DType.int4 ? nibbles : bytes;
    const weight = g.constant(dtype, [IN, OUT], values);
    const inputs = [
      weight,
      g.constant(DType.float, scaleDims, scales(count)),
      g.constant(dtype, scaleDims, integers(count, -4, 4)),
    ];
    const w = g.op('DequantizeLinear', inputs, { axis, ...(blockSize && { block_size: blockSize }) });
    g.op('MatMul', [x, w], {}, { outputs: ['y'], name: '/query/MatMul_matmul_Q4' });
  };

describe('a frozen layer with a quantized weight', () => {
  it.each<[string, (g: GraphBuilder, x: string) => void]>([
    ['dynamic quantization', dynamic],
    ['int8, one scale', stored(DType.int8, 1, 0, [])],
    ['int8, a scale for each output', stored(DType.int8, 1, 0, [OUT])],
    ['int4, a scale for each block', stored(DType.int4, 0, 16, [IN / 16, OUT])],
  ])('passes on the gradient of its dequantized weight: %s', async (_, build) => {
    const made = joinDynamic(model(build));
    const [layer] = findLinearLayers(made.graph);
    expect(layer).toMatchObject({ path: 'query', inFeatures: IN, outFeatures: OUT, plain: false });
    const W = layer.dequantize!();
    const dy = draw(ROWS * OUT);
    const dx = await gradient(made, draw(ROWS * IN), dy);
    dx.forEach((v, at) => {
      const [m, k] = [Math.floor(at / IN), at % IN];
      let wanted = 0;
      for (let n = 0; n < OUT; n++) wanted += dy[m * OUT + n] * W[n * IN + k];
      expect(v).toBeCloseTo(wanted, 4);
    });
  });
});

it('rounded activations pass the gradient on within the range of their type', async () => {
  const made = model((g, x) => {
    const scale = g.constant(DType.float, [], [0.1]);
    const zero = g.constant(DType.uint8, [], [128]);
    g.op('DequantizeLinear', [g.op('QuantizeLinear', [x, scale, zero]), scale, zero], {}, { outputs: ['y'] });
  });
  const x = Float32Array.from({ length: ROWS * IN }, (_, i) => i - (ROWS * IN) / 2);
  const dy = draw(ROWS * IN);
  const dx = await gradient(made, x, dy);
  // From -12.8 to 12.7.
  dx.forEach((v, i) => expect(v).toBeCloseTo(x[i] >= -12.8 && x[i] <= 12.7 ? dy[i] : 0, 9));
  expect(dx.some((v) => v !== 0)).toBe(true);
});

it('rounded activations pass the gradient on through a change of their shape', async () => {
  const made = model((g, x) => {
    const scale = g.constant(DType.float, [], [0.1]);
    const zero = g.constant(DType.uint8, [], [128]);
    const turned = g.op('Transpose', [g.op('QuantizeLinear', [x, scale, zero])], { perm: [1, 0] });
    const back = g.op('DequantizeLinear', [turned, scale, zero]);
    g.op('Transpose', [back], { perm: [1, 0] }, { outputs: ['y'] });
  });
  const dy = draw(ROWS * IN);
  expect([...(await gradient(made, draw(ROWS * IN), dy))]).toEqual([...dy]);
});
