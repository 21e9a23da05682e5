import { describe, expect, it } from 'vitest';
import { openSession } from '../../../../src/engine/onnxruntime/session';
import { GraphBuilder } from '../../../../src/graph/builder';
import { DType } from '../../../../src/graph/dtype';
import { toBfloat16, toHalf } from '../../../../src/graph/number-formats';
import type { Graph } from '../../../../src/graph/model';
import { encodeModel } from '../../../../src/graph/onnx/encode';
import { halvesInPieces } from '../../../../src/graph/pieces/halves';
import { tensorOf } from '../../../../src/graph/values';
import { emptyGraph, modelOf } from '../../autodiff/check';

/** In float32, more than three pieces. */
const [ROWS, WIDTH] = [90, 110];
const PIECE = 12_000;
const M = 3;

interface Case {
  dtype: number;
  opType: 'Gemm' | 'MatMul';
  transB?: number;
  bias?: boolean;
  rank?: number;
  /** The axis of scales in int8: columns by default. */
  axis?: 0 | 1;
}

/** The product of x with a weight of 16 bits, or in int8 columns or rows. */
function graphOf({ dtype, opType, transB = 0, bias, rank = 2, axis = 1 }: Case): Graph {
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  const encode = dtype === DType.bfloat16 ? toBfloat16 : toHalf;
  const weight = Uint16Array.from({ length: ROWS * WIDTH }, (_, i) => encode(Math.sin(i * i)));
  const [from, to] = transB ? [WIDTH, ROWS] : [ROWS, WIDTH];
  g.addInput('x', DType.float, [...(rank === 3 ? ['a'] : []), 'b', from]);
  if (dtype === DType.int8)
    g.addInitializer(
      tensorOf(
        'w',
        dtype,
        [ROWS, WIDTH],
        Array.from(weight, (_, i) => ((i * i) % 255) - 127),
      ),
    );
  else g.addInitializer({ name: 'w', dtype, dims: [ROWS, WIDTH], data: new Uint8Array(weight.buffer) });
  const scales = g.constant(
    DType.float,
    [axis === 1 ? WIDTH : ROWS],
    Array.from({ length: axis === 1 ? WIDTH : ROWS }, (_, i) => 1 / (1 + i)),
  );
  const inputs = [
    'x',
    dtype === DType.int8
      ? g.op('DequantizeLinear', ['w', scales], { axis })
      : g.op('Cast', ['w'], { to: DType.float }),
  ];
  if (bias)
    inputs.push(
      g.constant(
        DType.float,
        [to],
        Array.from({ length: to }, (_, i) => i % 5),
      ),
    );
  g.op(opType, inputs, opType === 'Gemm' ? { transB } : {}, { outputs: ['y'] });
  g.addOutput('y');
  return graph;
}

async function run(graph: Graph, rank: number) {
  const width = graph.inputs[0].shape!.at(-1) as number;
  const dims = [...(rank === 3 ? [1] : []), M, width];
  const data = Float32Array.from({ length: M * width }, (_, i) => Math.cos(i));
  const session = await openSession(encodeModel(modelOf(graph)));
  const { y } = await session.run({ x: { dtype: DType.float, dims, data } });
  await session.dispose();
  return y;
}

describe('a large weight of 16 or 8 bits', () => {
  it.each<[string, Case]>([
    [
      'Gemm with a transposed weight and a bias',
      { dtype: DType.bfloat16, opType: 'Gemm', transB: 1, bias: true },
    ],
    ['Gemm', { dtype: DType.float16, opType: 'Gemm' }],
    ['MatMul of three axes', { dtype: DType.bfloat16, opType: 'MatMul', rank: 3 }],
    ['MatMul in int8 columns', { dtype: DType.int8, opType: 'MatMul', rank: 3 }],
    ['Gemm in int8 columns, transposed', { dtype: DType.int8, opType: 'Gemm', transB: 1 }],
    ['MatMul in int8 rows', { dtype: DType.int8, opType: 'MatMul', rank: 3, axis: 0 }],
    ['Gemm in int8 rows, transposed', { dtype: DType.int8, opType: 'Gemm', transB: 1, bias: true, axis: 0 }],
  ])('is widened piece by piece in a %s, with the same result', async (_, of) => {
    const whole = graphOf(of);
    const pieces = halvesInPieces(whole, PIECE);
    expect(pieces.initializers.has('w')).toBe(false);
    expect(pieces.nodes.filter((n) => n.opType === 'Gemm').length).toBeGreaterThan(3);
    const [a, b] = [await run(whole, of.rank ?? 2), await run(pieces, of.rank ?? 2)];
    expect(b.dims).toEqual(a.dims);
    const [wanted, got] = [a.data, b.data].map((d) => Array.from(d as Float32Array));
    const largest = Math.max(...wanted.map(Math.abs));
    expect(Math.max(...wanted.map((v, i) => Math.abs(v - got[i])))).toBeLessThan(1e-5 * largest);
  });

  it('stays whole where something else reads it, too', () => {
    const graph = graphOf({ dtype: DType.bfloat16, opType: 'Gemm' });
    new GraphBuilder(graph, '/more').op('Transpose', [graph.nodes[0].outputs[0]], {}, { outputs: ['t'] });
    graph.outputs.push({ name: 't', dtype: 0, shape: undefined });
    expect(halvesInPieces(graph, PIECE)).toBe(graph);
  });

  it('is widened when it is needed even where it is a single piece, in a model with many', () => {
    const SIZE = 4096;
    const graph = emptyGraph();
    const g = new GraphBuilder(graph, '');
    let x = g.addInput('x', DType.float, [2, SIZE]);
    // A gigabyte in float32, which nothing reads here.
    for (let i = 0; i < 16; i++) {
      const data = { path: 'weights', offset: 0, length: 2 * SIZE * SIZE };
      g.addInitializer({ name: `w${i}`, dtype: DType.bfloat16, dims: [SIZE, SIZE], data });
      x = g.op('MatMul', [x, g.op('Cast', [`w${i}`], { to: DType.float })]);
    }
    g.addOutput(x);
    const pieces = halvesInPieces(graph);
    const casts = pieces.nodes.filter((n) => n.opType === 'Cast' && pieces.initializers.has(n.inputs[0]));
    expect(casts).toEqual([]);
    const few = { ...graph, nodes: graph.nodes.slice(0, 2), outputs: [{ ...graph.outputs[0] }] };
    few.outputs[0].name = few.nodes[1].outputs[0];
    expect(halvesInPieces(few)).toBe(few);
  });
});
