import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { probe } from '../../../../src/engine/onnxruntime/probe';
import { openSession } from '../../../../src/engine/onnxruntime/session';
import { differentiate } from '../../../../src/graph/autodiff/differentiate';
import { toAttribute } from '../../../../src/graph/attributes';
import { GraphBuilder } from '../../../../src/graph/builder';
import { DType } from '../../../../src/graph/dtype';
import { findLinearLayers } from '../../../../src/graph/layers/linear';
import type { Graph } from '../../../../src/graph/model';
import { encodeModel } from '../../../../src/graph/onnx/encode';
import { nbitsInPieces } from '../../../../src/graph/pieces/nbits-pieces';
import { isNBits } from '../../../../src/graph/quantized/nbits';
import { tensorNumbers } from '../../../../src/graph/values';
import { generator, symmetric } from '../../autodiff/check';
import { nbitsLayer, type LayerOptions } from './nbits-layer';

const options: fc.Arbitrary<LayerOptions> = fc
  .record({
    bits: fc.constantFrom(2, 4, 8),
    blockSize: fc.constantFrom(16, 32, 64),
    inFeatures: fc.integer({ min: 1, max: 140 }),
    outFeatures: fc.integer({ min: 1, max: 20 }),
    zeros: fc.constantFrom('none' as const, 'packed' as const, 'float' as const),
    flat: fc.boolean(),
    bias: fc.boolean(),
    rank: fc.constantFrom(2, 3),
  })
  // ONNX Runtime has no kernel for float zero points of 8 bits.
  .filter((o) => o.bits < 8 || o.zeros !== 'float');

/** Compares the layer's output and the gradient of its input with the same from its dequantized weight. */
async function check(o: LayerOptions, seed: number, pieces = 1): Promise<void> {
  const random = generator(seed);
  const { graph, model } = nbitsLayer(o, random);
  const [{ dequantize }] = findLinearLayers(graph);
  const W = dequantize!();
  const infos = await probe(model);
  const dims = [pieces > 1 ? 1 : 2, 3].slice(0, o.rank - 1);
  const g = new GraphBuilder(graph, '/test');
  g.addInput('dy', DType.float, infos.get('y')!.shape);
  const dx = differentiate(graph, infos, new Map([['y', 'dy']]), ['x']).get('x')!;
  g.addOutput(dx);
  expect(graph.nodes.filter((n) => n.opType === 'DequantizeLinear')).toHaveLength(pieces);

  const rows = dims.reduce((a, b) => a * b, 1);
  const { inFeatures: K, outFeatures: N } = o;
  const draw = (n: number) => Float32Array.from({ length: n }, () => symmetric(random));
  const [x, dy] = [draw(rows * K), draw(rows * N)];
  const feeds = {
    x: { dtype: DType.float, dims: [...dims, K], data: x },
    dy: { dtype: DType.float, dims: [...dims, N], data: dy },
  };
  const run = async (of: Graph) => {
    const session = await openSession(encodeModel({ ...model, graph: of }));
    const out = await session.run(feeds);
    await session.dispose();
    return out;
  };
  const once = nbitsInPieces(graph);
  const inPieces = o.bits !== 2 && o.zeros !== 'float';
  expect(once.nodes.some(isNBits)).toBe(!inPieces);
  // The weight is there once: in the type that DequantizeLinear reads.
  expect(once.initializers.has('w')).toBe(!inPieces);
  const stored = graph.initializers.get('bias');
  const bias = stored && tensorNumbers(stored);
  const y = new Float64Array(rows * N);
  const wanted = new Float64Array(rows * K);
  for (let m = 0; m < rows; m++)
    for (let n = 0; n < N; n++) {
      y[m * N + n] += bias?.[n] ?? 0;
      for (let k = 0; k < K; k++) {
        y[m * N + n] += x[m * K + k] * W[n * K + k];
        wanted[m * K + k] += dy[m * N + n] * W[n * K + k];
      }
    }
  const near = (a: ArrayLike<number>, b: Float64Array) => {
    const scale = b.reduce((most, v) => Math.max(most, Math.abs(v)), 0) + 1;
    expect(Math.max(...Array.from(b, (v, i) => Math.abs(v - a[i]))) / scale).toBeLessThan(2e-6);
  };
  for (const out of [await run(graph), await run(once)]) {
    expect(out.y.dims).toEqual([...dims, N]);
    near(out.y.data as Float32Array, y);
    expect(out[dx].dims).toEqual([...dims, K]);
    near(out[dx].data as Float32Array, wanted);
  }
}

describe('MatMulNBits', () => {
  it('and its gradient are those of the dequantized weight, also with its weight there once', async () => {
    await fc.assert(
      fc.asyncProperty(options, fc.nat(), (o, seed) => check(o, seed)),
      { numRuns: 25, seed: 1 },
    );
  });

  it('dequantizes a large weight in pieces', async () => {
    const base = { bits: 4, blockSize: 32, zeros: 'packed', flat: false, bias: false, rank: 2 } as const;
    await check({ ...base, inFeatures: 8200, outFeatures: 2200 }, 1, 2);
  });

  it('is found under the path of its module, with its bias', () => {
    const o: LayerOptions = {
      bits: 4,
      blockSize: 16,
      inFeatures: 20,
      outFeatures: 6,
      zeros: 'none',
      flat: true,
      bias: true,
      rank: 2,
    };
    const [layer] = findLinearLayers(nbitsLayer(o, generator(1)).graph);
    expect(layer).toMatchObject({
      path: 'query',
      inFeatures: 20,
      outFeatures: 6,
      hasBias: true,
      plain: false,
    });
  });

  it.each([
    ['sorts its columns (g_idx)', (node) => (node.inputs[4] = 's')],
    ['has 3 bits', (node) => node.attributes.set('bits', toAttribute(3))],
    ['block_size 24', (node) => node.attributes.set('block_size', toAttribute(24))],
    ['has a weight that is not a constant', (node) => (node.inputs[1] = 'x')],
    ['has s with the shape [6, 2], not 18 elements', (node) => node.attributes.set('K', toAttribute(40))],
  ] as [string, (node: ReturnType<typeof nbitsLayer>['graph']['nodes'][0]) => void][])(
    'is refused if it %s',
    (words, change) => {
      const o: LayerOptions = {
        bits: 4,
        blockSize: 16,
        inFeatures: 32,
        outFeatures: 6,
        zeros: 'none',
        flat: false,
        bias: false,
        rank: 2,
      };
      const { graph } = nbitsLayer(o, generator(1));
      if (words.includes('shape'))
        graph.initializers.set('w', { ...graph.initializers.get('w')!, dims: [6, 3, 8] });
      change(graph.nodes[0]);
      expect(() => findLinearLayers(graph)).toThrow(
        expect.objectContaining({ kind: 'model', message: expect.stringContaining(words) as string }),
      );
    },
  );
});
