import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toAttribute } from '../../../../src/graph/attributes';
import { differentiate } from '../../../../src/graph/autodiff/differentiate';
import { GraphBuilder } from '../../../../src/graph/builder';
import { DType } from '../../../../src/graph/dtype';
import { findLinearLayers } from '../../../../src/graph/layers/linear';
import type { Graph } from '../../../../src/graph/model';
import { encodeModel } from '../../../../src/graph/onnx/encode';
import { nbitsInPieces } from '../../../../src/graph/pieces/nbits-pieces';
import { bnb4Of, isBnb4, NF4 } from '../../../../src/graph/quantized/bnb4';
import { requantizeBnb4 } from '../../../../src/graph/quantized/requantize';
import { tensorOf } from '../../../../src/graph/values';
import { openSession } from '../../../../src/engine/onnxruntime/session';
import { probe } from '../../../../src/engine/onnxruntime/probe';
import { emptyGraph, generator, modelOf, symmetric } from '../../autodiff/check';

interface Layer {
  type: 0 | 1;
  blockSize: number;
  inFeatures: number;
  outFeatures: number;
  rank: number;
}

/** A model of one MatMulBnb4 with random constants: x to y. */
function bnb4Layer({ type, blockSize, inFeatures: K, outFeatures: N, rank }: Layer, random: () => number) {
  const graph = emptyGraph();
  const g = new GraphBuilder(graph, '');
  const draw = (n: number, of: () => number) => Array.from({ length: n }, of);
  const [bytes, blocks] = [Math.ceil((N * K) / 2), Math.ceil((N * K) / blockSize)];
  const inputs = [
    g.addInput('x', DType.float, [...['a', 'b'].slice(0, rank - 1), K]),
    g.addInitializer(
      tensorOf(
        'w_Bnb4',
        DType.uint8,
        [bytes],
        draw(bytes, () => Math.floor(256 * random())),
      ),
    ),
    g.addInitializer(
      tensorOf(
        's',
        DType.float,
        [blocks],
        draw(blocks, () => random() + 0.1),
      ),
    ),
  ];
  const attributes = { K, N, block_size: blockSize, quant_type: type };
  const named = { domain: 'com.microsoft', name: '/query/MatMul_Bnb4', outputs: ['y'] };
  g.op('MatMulBnb4', inputs, attributes, named);
  g.addOutput('y');
  const opsets = new Map([
    ['', 21],
    ['com.microsoft', 1],
  ]);
  return { graph, model: { ...modelOf(graph), opsets } };
}

/** Compares output and gradient, of the operator and of its pieces, with those of the dequantized weight. */
async function check(o: Layer, seed: number, pieces = 1): Promise<void> {
  const random = generator(seed);
  const { graph, model } = bnb4Layer(o, random);
  const [layer] = findLinearLayers(graph);
  const { inFeatures: K, outFeatures: N } = o;
  expect(layer).toMatchObject({ path: 'query', inFeatures: K, outFeatures: N, plain: false });
  const W = layer.dequantize!();
  const infos = await probe(model);
  const g = new GraphBuilder(graph, '/test');
  g.addInput('dy', DType.float, infos.get('y')!.shape);
  const dx = differentiate(graph, infos, new Map([['y', 'dy']]), ['x']).get('x')!;
  g.addOutput(dx);
  expect(graph.nodes.filter((n) => n.opType === 'Gather' && n.inputs.length === 2)).not.toHaveLength(0);
  expect([...graph.initializers.keys()].filter((name) => name.startsWith('/rows/w_Bnb4'))).toHaveLength(
    pieces,
  );

  const dims = [2, 3].slice(0, o.rank - 1);
  const rows = dims.reduce((a, b) => a * b, 1);
  const draw = (n: number) => Float32Array.from({ length: n }, () => symmetric(random));
  const [x, dy] = [draw(rows * K), draw(rows * N)];
  const feeds = {
    x: { dtype: DType.float, dims: [...dims, K], data: x },
    dy: { dtype: DType.float, dims: [...dims, N], data: dy },
  };
  const y = new Float64Array(rows * N);
  const wanted = new Float64Array(rows * K);
  for (let m = 0; m < rows; m++)
    for (let n = 0; n < N; n++)
      for (let k = 0; k < K; k++) {
        y[m * N + n] += x[m * K + k] * W[n * K + k];
        wanted[m * K + k] += dy[m * N + n] * W[n * K + k];
      }
  const near = (a: ArrayLike<number>, b: Float64Array) => {
    const scale = b.reduce((most, v) => Math.max(most, Math.abs(v)), 0) + 1;
    expect(Math.max(...Array.from(b, (v, i) => Math.abs(v - a[i]))) / scale).toBeLessThan(2e-6);
  };
  const once: Graph = nbitsInPieces(graph);
  expect(once.nodes.some(isBnb4)).toBe(false);
  expect(once.initializers.has('w_Bnb4')).toBe(false);
  for (const of of [graph, once]) {
    const session = await openSession(encodeModel({ ...model, graph: of }));
    const out = await session.run(feeds);
    await session.dispose();
    expect([out.y.dims, out[dx].dims]).toEqual([
      [...dims, N],
      [...dims, K],
    ]);
    near(out.y.data as Float32Array, y);
    near(out[dx].data as Float32Array, wanted);
  }
}

describe('MatMulBnb4', () => {
  it('and its gradient are those of the dequantized weight, also with its weight there once', async () => {
    const layers = fc.record({
      type: fc.constantFrom(0 as const, 1 as const),
      blockSize: fc.constantFrom(16, 32, 64, 128),
      inFeatures: fc.integer({ min: 1, max: 140 }),
      outFeatures: fc.integer({ min: 1, max: 20 }),
      rank: fc.constantFrom(2, 3),
    });
    await fc.assert(
      fc.asyncProperty(layers, fc.nat(), (o, seed) => check(o, seed)),
      { numRuns: 25, seed: 1 },
    );
  });

  it('widens a large weight in pieces that begin with a block', async () => {
    await check({ type: 1, blockSize: 64, inFeatures: 8200, outFeatures: 2200, rank: 2 }, 1, 2);
  });

  it('keeps its table when it is quantized again, and its values where they do not change', () => {
    const o: Layer = { type: 1, blockSize: 32, inFeatures: 20, outFeatures: 5, rank: 2 };
    const { graph } = bnb4Layer(o, generator(3));
    const w = bnb4Of(graph.nodes[0], (name) => graph.initializers.get(name));
    const [layer] = findLinearLayers(graph);
    const values = layer.dequantize!();
    const same = requantizeBnb4(w, values);
    expect(same.error).toBe(0);
    const changed = values.map((v, i) => 3 * v + 0.01 * Math.sin(i));
    const { weight, scales, error } = requantizeBnb4(w, changed);
    const own = {
      ...graph,
      initializers: new Map([...graph.initializers, ['w_Bnb4', weight], ['s', scales]]),
    };
    const made = findLinearLayers(own)[0].dequantize!();
    const squares = made.reduce((sum, v, i) => sum + (v - changed[i]) ** 2, 0);
    expect(error).toBeCloseTo(squares, 4);
    expect(squares / changed.reduce((sum, v) => sum + v * v, 0)).toBeLessThan(0.02);
    expect(NF4).toHaveLength(16);
  });

  it.each([
    ['has transB 0', (node) => node.attributes.set('transB', toAttribute(0))],
    ['has the quant_type 2', (node) => node.attributes.set('quant_type', toAttribute(2))],
    ['block_size 24', (node) => node.attributes.set('block_size', toAttribute(24))],
    ['has a weight that is not a constant', (node) => (node.inputs[1] = 'x')],
    ['has w_Bnb4 with the shape [96], not 120 elements', (node) => node.attributes.set('K', toAttribute(40))],
  ] as [string, (node: Graph['nodes'][0]) => void][])('is refused if it %s', (words, change) => {
    const { graph } = bnb4Layer(
      { type: 1, blockSize: 16, inFeatures: 32, outFeatures: 6, rank: 2 },
      generator(1),
    );
    change(graph.nodes[0]);
    expect(() => findLinearLayers(graph)).toThrow(
      expect.objectContaining({ kind: 'model', message: expect.stringContaining(words) as string }),
    );
  });
});
