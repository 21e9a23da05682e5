import { describe, expect, it } from 'vitest';
import { AuroraError } from '../../../../src/base/errors';
import type { HostTensors } from '../../../../src/engine/stepper';
import type { AttributeLike } from '../../../../src/graph/attributes';
import { DType } from '../../../../src/graph/dtype';
import { elementCount } from '../../../../src/graph/model';
import { encodeModel } from '../../../../src/graph/onnx/encode';
import { unfuse } from '../../../../src/graph/unfuse/unfuse';
import { difference, graph, host, input, model, node, runModel } from '../onnx-models';

const { float, float16, double } = DType;
const MS = 'com.microsoft';

function random(count: number, seed: number, size = 1): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return ((state / 2147483648) * 6 - 3) * size;
  });
}

interface Case {
  op: string;
  domain?: string;
  attributes?: Record<string, AttributeLike>;
  /** The shapes of the inputs; undefined omits an input. */
  inputs: (number[] | undefined)[];
  outputs?: string[];
  size?: number;
  dtype?: number;
  rtol?: number;
}

/**
 * Checks that the standard operators compute the same as ONNX Runtime's kernel and that no fused operator is
 * left.
 */
async function expectSame(c: Case): Promise<void> {
  const dtype = c.dtype ?? float;
  const names = c.inputs.map((dims, i) => (dims ? `x${i}` : ''));
  const outputs = c.outputs ?? ['y'];
  const original = model({
    opset: 20,
    domains: { [MS]: 1 },
    inputs: c.inputs.flatMap((dims, i) => (dims ? [input(`x${i}`, dtype, dims)] : [])),
    nodes: [node(c.op, names, outputs, c.attributes, c.domain ?? MS)],
    outputs: outputs.filter((name) => name !== ''),
  });
  const before = encodeModel(original);
  const plain = unfuse(original);
  expect(Buffer.compare(encodeModel(original), before), 'the original was changed').toBe(0);
  expect(plain.graph.nodes.map((n) => n.domain).join('')).toBe('');
  if (c.op !== 'Gelu') expect(plain.graph.nodes.map((n) => n.opType)).not.toContain(c.op);
  expect(plain.graph.nodes.filter((n) => n.name === outputs[0])).toHaveLength(1);
  const feeds: HostTensors = {};
  c.inputs.forEach((dims, i) => {
    if (dims) feeds[`x${i}`] = host(dims, random(elementCount(dims), 17 + i, c.size), dtype);
  });
  const want = await runModel(original, feeds);
  const rtol = c.rtol ?? 2e-6;
  expect(difference(want, await runModel(plain, feeds), rtol, rtol * (c.size ?? 1))).toBeUndefined();
}

describe('replacing Gelu and its variants', () => {
  const x = [3, 5, 8];
  it.each<[string, Case]>([
    ['Gelu', { op: 'Gelu', inputs: [x] }],
    ['BiasGelu', { op: 'BiasGelu', inputs: [x, [8]] }],
    ['FastGelu', { op: 'FastGelu', inputs: [x] }],
    ['FastGelu with bias', { op: 'FastGelu', inputs: [x, [8]] }],
    ['QuickGelu with its default', { op: 'QuickGelu', inputs: [x] }],
    ['QuickGelu with alpha', { op: 'QuickGelu', inputs: [x], attributes: { alpha: { float: 0.7 } } }],
  ])('%s', (_, c) => expectSame(c));
});

describe('replacing fused normalization', () => {
  const x = [2, 3, 8];
  const w = [8];
  const epsilon = { epsilon: { float: 1e-3 } };
  const all = ['y', '', '', 'sum'];
  it.each<[string, Case]>([
    ['gamma only', { op: 'SkipLayerNormalization', inputs: [x, x, w] }],
    ['beta', { op: 'SkipLayerNormalization', inputs: [x, x, w, w] }],
    ['beta, bias and the sum', { op: 'SkipLayerNormalization', inputs: [x, x, w, w, w], outputs: all }],
    ['bias without beta', { op: 'SkipLayerNormalization', inputs: [x, x, w, undefined, w], outputs: all }],
    ['the sum without bias', { op: 'SkipLayerNormalization', inputs: [x, x, w], outputs: all }],
    ['epsilon', { op: 'SkipLayerNormalization', inputs: [x, x, w, w], attributes: epsilon, size: 0.01 }],
    ['a skip shared by all examples', { op: 'SkipLayerNormalization', inputs: [x, [1, 3, 8], w, w] }],
    ['a skip without a batch axis', { op: 'SkipLayerNormalization', inputs: [x, [3, 8], w, w] }],
    // At this size, only the default epsilon of 1e-12 gives the right values.
    ['the default epsilon', { op: 'SkipLayerNormalization', inputs: [x, x, w], size: 1e-6, rtol: 1e-3 }],
    ['root mean square', { op: 'SkipSimplifiedLayerNormalization', inputs: [x, x, w] }],
    [
      'root mean square, bias and the sum',
      { op: 'SkipSimplifiedLayerNormalization', inputs: [x, x, w, w], outputs: all, attributes: epsilon },
    ],
    [
      'root mean square, the default epsilon',
      { op: 'SkipSimplifiedLayerNormalization', inputs: [x, x, w], size: 1e-6, rtol: 1e-3 },
    ],
    ['simplified', { op: 'SimplifiedLayerNormalization', domain: '', inputs: [x, w] }],
    [
      'simplified over two axes',
      { op: 'SimplifiedLayerNormalization', domain: '', inputs: [x, [3, 8]], attributes: { axis: 1 } },
    ],
    [
      'simplified, epsilon and inverse deviation',
      {
        op: 'SimplifiedLayerNormalization',
        domain: '',
        inputs: [x, w],
        attributes: epsilon,
        outputs: ['y', 'inverse'],
        size: 0.01,
      },
    ],
    // The squares of these values overflow float16.
    [
      'simplified in float16',
      {
        op: 'SimplifiedLayerNormalization',
        domain: '',
        inputs: [x, w],
        dtype: float16,
        size: 200,
        rtol: 2e-3,
      },
    ],
    [
      'simplified in double',
      { op: 'SimplifiedLayerNormalization', domain: '', inputs: [x, w], dtype: double },
    ],
  ])('%s', (_, c) => expectSame(c));
});

describe('replacing FusedMatMul', () => {
  const t = (attributes: Record<string, AttributeLike>, a: number[], b: number[]): Case => ({
    op: 'FusedMatMul',
    inputs: [a, b],
    attributes,
    rtol: 1e-5,
  });
  it.each<[string, Case]>([
    ['plain', t({}, [2, 3, 4], [2, 4, 5])],
    ['alpha', t({ alpha: { float: 0.125 } }, [2, 3, 4], [4, 5])],
    ['transA', t({ transA: 1 }, [2, 4, 3], [2, 4, 5])],
    ['transB and alpha', t({ transB: 1, alpha: { float: 3 } }, [2, 2, 3, 4], [2, 2, 5, 4])],
    ['both', t({ transA: 1, transB: 1 }, [4, 3], [5, 4])],
    ['a vector is not transposed', t({ transA: 1 }, [4], [4, 5])],
    ['transBatchA', t({ transBatchA: 1 }, [3, 2, 4], [2, 4, 5])],
    ['transBatchB', t({ transBatchB: 1 }, [2, 3, 4], [4, 2, 5])],
    ['both batches', t({ transBatchA: 1, transBatchB: 1 }, [3, 2, 2, 4], [4, 2, 2, 5])],
    [
      'its former name',
      {
        op: 'TransposeMatMul',
        inputs: [
          [4, 3],
          [5, 4],
        ],
        attributes: { transA: 1, transB: 1 },
      },
    ],
    [
      'batches and matrices',
      t({ transBatchA: 1, transBatchB: 1, transA: 1, transB: 1 }, [4, 2, 3], [5, 2, 4]),
    ],
  ])('%s', (_, c) => expectSame(c));
});

describe('replacing the rest of a graph', () => {
  const x = input('x', float, [2, 8]);

  it('treats SimplifiedLayerNormalization the same in both domains', async () => {
    const build = (domain: string) =>
      model({
        opset: 20,
        domains: { [MS]: 1 },
        inputs: [x, input('w', float, [8])],
        nodes: [node('SimplifiedLayerNormalization', ['x', 'w'], ['y'], {}, domain)],
        outputs: ['y'],
      });
    const feeds = { x: host([2, 8], random(16, 1)), w: host([8], random(8, 2)) };
    const [a, b] = await Promise.all(['', MS].map((d) => runModel(unfuse(build(d)), feeds)));
    expect(difference(a, b)).toBeUndefined();
  });

  it("keeps a node's metadata on the operator that does its work", () => {
    const gelu = node('FastGelu', ['x', 'b'], ['y'], {}, MS);
    gelu.metadata.set('scope', 'encoder.layer.0');
    const m = model({ opset: 20, inputs: [x, input('b', float, [8])], nodes: [gelu], outputs: ['y'] });
    const main = unfuse(m).graph.nodes.at(-1)!;
    expect([main.opType, main.name, main.outputs, main.metadata.get('scope')]).toEqual([
      'Gelu',
      'y',
      ['y'],
      'encoder.layer.0',
    ]);
  });

  it('includes the branches of conditions', async () => {
    const body = (op: string) => ({
      type: 'graph' as const,
      value: graph({ inputs: [], nodes: [node(op, ['x'], [`${op} y`], {}, MS)], outputs: [`${op} y`] }),
    });
    const m = model({
      opset: 20,
      domains: { [MS]: 1 },
      inputs: [x, input('c', DType.bool, [])],
      nodes: [node('If', ['c'], ['y'], { then_branch: body('QuickGelu'), else_branch: body('Gelu') })],
      outputs: ['y'],
    });
    const plain = unfuse(m);
    plain.opsets.delete(MS);
    for (const c of [0, 1]) {
      const feeds = { x: host([2, 8], random(16, 3)), c: host([], [c], DType.bool) };
      expect(difference(await runModel(m, feeds), await runModel(plain, feeds), 2e-6, 2e-6)).toBeUndefined();
    }
  });

  it.each([
    ['FusedMatMul', { transBatchA: 1 }],
    ['SimplifiedLayerNormalization', { axis: 1 }],
  ])('rejects %s of a tensor of unknown rank, with a hint', (op, attributes) => {
    const m = model({
      opset: 20,
      inputs: [input('a', float, undefined), input('b', float, undefined)],
      nodes: [node(op, ['a', 'b'], ['y'], attributes, MS)],
      outputs: ['y'],
    });
    expect(() => unfuse(m)).toThrow(AuroraError);
    expect(() => unfuse(m)).toThrow(new RegExp(`axes of a, which the node y \\(${op}`));
  });
});
