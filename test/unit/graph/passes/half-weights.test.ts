import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../../../src/engine/onnxruntime/session';
import { DType } from '../../../../src/graph/dtype';
import type { Attribute, Model, Node, Tensor } from '../../../../src/graph/model';
import { encodeModel } from '../../../../src/graph/onnx/encode';
import {
  halvableWeights,
  withHalfWeights,
  writeHalfWeights,
} from '../../../../src/graph/passes/half-weights';
import { saveByReference } from '../../../../src/graph/file/save';
import { tensorOf } from '../../../../src/graph/values';
import { graph, host, input, model, node } from '../onnx-models';
import { scratchFolder } from '../../../scratch';

const folder = scratchFolder('half');

/** Integers up to 4, because float16 computes their small products exactly. */
const weight = (name: string, ...dims: number[]): Tensor =>
  tensorOf(
    name,
    DType.float,
    dims,
    Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => ((i * 7) % 9) - 4),
  );

const sketch = (nodes: Node[], outputs: string[], initializers: Tensor[]): Model =>
  model({
    opset: 20,
    inputs: [
      input('x', DType.float, ['n', 4]),
      input('A', DType.float, [4, 4]),
      input('ids', DType.int64, ['n']),
    ],
    nodes,
    outputs,
    initializers,
  });

const FEEDS = {
  x: host([3, 4], [1, -2, 3, 0, 2, 2, -1, 1, 0, 5, 1, -3]),
  A: host(
    [4, 4],
    Array.from({ length: 16 }, (_, i) => (i % 5) - 2),
  ),
  ids: host([3], [2, 0, 2], DType.int64),
};

async function run(m: Model, name: string): Promise<Record<string, number[]>> {
  const session = await openSession(saveByReference(m, folder, name), { threads: 1 });
  const feeds = Object.fromEntries(m.graph.inputs.map((i) => [i.name, FEEDS[i.name as keyof typeof FEEDS]]));
  const out = await session.run(feeds);
  await session.dispose();
  return Object.fromEntries(Object.entries(out).map(([k, t]) => [k, Array.from(t.data, Number)]));
}

function halved(m: Model): { mixed: Model; chosen: string[] } {
  const weights = halvableWeights(m.graph, m.graph);
  const { halves } = writeHalfWeights(weights, join(folder, `${Math.max(1, weights.length)}.float16`));
  return { mixed: withHalfWeights(m, halves), chosen: weights.map((t) => t.name) };
}

const dtypes = (m: Model) =>
  Object.fromEntries([...m.graph.initializers.values()].map((t) => [t.name, t.dtype]));
const count = (m: Model, opType: string) => m.graph.nodes.filter((n) => n.opType === opType).length;

/** Runs both in ONNX Runtime; with integers, the results must be equal. */
async function expectSame(m: Model, mixed: Model): Promise<void> {
  expect(await run(mixed, 'mixed.onnx')).toEqual(await run(m, 'full.onnx'));
}

describe('float16 weights', () => {
  it('replace those of MatMul and Gemm; the bias and the factors stay in float32', async () => {
    const m = sketch(
      [
        node('MatMul', ['x', 'W'], ['h']),
        node('Gemm', ['h', 'V', 'b'], ['y'], { transB: 1, alpha: { float: 0.5 }, beta: { float: 2 } }),
        node('Gemm', ['U', 'h'], ['z'], { transA: 1, transB: 1 }),
      ],
      ['y', 'z'],
      [weight('W', 4, 4), weight('V', 2, 4), weight('b', 2), weight('U', 4, 3)],
    );
    const before = encodeModel(m);
    const { mixed, chosen } = halved(m);
    expect(Buffer.compare(encodeModel(m), before), 'the original was changed').toBe(0);
    expect(chosen).toEqual(['W', 'V', 'U']);
    expect(dtypes(mixed)).toMatchObject({
      'W.float16': DType.float16,
      'V.float16': DType.float16,
      b: DType.float,
    });
    expect(mixed.graph.initializers.has('W')).toBe(false);
    await expectSame(m, mixed);
  });

  it('are shared by forward and backward, also when transposed, and each input is rounded once', async () => {
    const m = sketch(
      [
        node('MatMul', ['x', 'W'], ['q']),
        node('MatMul', ['x', 'V'], ['v']),
        node('Transpose', ['W'], ['Wt'], { perm: [1, 0] }),
        node('MatMul', ['q', 'Wt'], ['back']),
        node('Add', ['back', 'v'], ['y']),
      ],
      ['y'],
      [weight('W', 4, 4), weight('V', 4, 4)],
    );
    const { mixed, chosen } = halved(m);
    expect(chosen).toEqual(['W', 'V']);
    expect(dtypes(mixed)).toEqual({ 'W.float16': DType.float16, 'V.float16': DType.float16 });
    // Two casts of x and q to float16, and three of the products back.
    expect(count(mixed, 'Cast')).toBe(5);
    await expectSame(m, mixed);
  });

  it('replace an embedding table that is also the output layer', async () => {
    const m = sketch(
      [
        node('Gather', ['E', 'ids'], ['e']),
        node('Identity', ['E'], ['tied']),
        node('Gemm', ['e', 'tied'], ['y'], { transB: 1 }),
      ],
      ['y', 'e'],
      [weight('E', 5, 4)],
    );
    const { mixed } = halved(m);
    expect(dtypes(mixed)).toEqual({ 'E.float16': DType.float16 });
    await expectSame(m, mixed);
  });

  it('do not replace factors of adapters or weights with other readers', async () => {
    const branch = (nodes: Node[], output: string): Attribute => ({
      type: 'graph',
      value: graph({ inputs: [], nodes, outputs: [output] }),
    });
    const m = sketch(
      [
        node('MatMul', ['x', 'A'], ['adapter']),
        node('MatMul', ['x', 'added'], ['a']),
        node('Add', ['a', 'added'], ['b']),
        node('MatMul', ['x', 'inner'], ['c']),
        node('MatMul', ['x', 'given'], ['h']),
        node('If', ['flag'], ['d'], {
          then_branch: branch([node('Identity', ['inner'], ['t'])], 't'),
          else_branch: branch([], 'given'),
        }),
        node('MatMul', ['x', 'shown'], ['e']),
        node('Transpose', ['turned'], ['T'], { perm: [1, 0] }),
        node('Add', ['T', 'T'], ['f']),
        node('Gemm', ['x', 'A', 'bias'], ['g']),
      ],
      ['adapter', 'b', 'c', 'd', 'e', 'shown', 'f', 'g', 'h'],
      [
        ...['inner', 'given', 'shown', 'turned'].map((name) => weight(name, 4, 4)),
        weight('added', 4, 4),
        weight('bias', 1, 4),
        tensorOf('flag', DType.bool, [], [1]),
      ],
    );
    const feedable = {
      ...m,
      graph: { ...m.graph, nodes: m.graph.nodes.filter((n) => n.outputs[0] !== 'b') },
    };
    expect(halvableWeights(m.graph, m.graph)).toEqual([]);
    // Without the Add the weight may change, which shows that the Add prevented it.
    expect(halvableWeights(feedable.graph, m.graph).map((t) => t.name)).toEqual(['added']);
  });

  it("do not replace constants that are not part of the user's model", () => {
    const m = sketch([node('MatMul', ['x', 'basis'], ['y'])], ['y'], [weight('basis', 4, 4)]);
    const own = sketch([], [], []).graph;
    expect(halvableWeights(m.graph, own)).toEqual([]);
    expect(halvableWeights(m.graph, m.graph)).toHaveLength(1);
  });
});
