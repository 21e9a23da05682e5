import { expect, it } from 'vitest';
import { GraphBuilder } from '../../../../src/graph/builder';
import { DType } from '../../../../src/graph/dtype';
import type { Graph } from '../../../../src/graph/model';
import { fixSizes } from '../../../../src/graph/sizes/sizes';
import { mostLiveBytes } from '../../../../src/checks/cost/step-work';

/** Bytes of one tensor in these graphs. */
const ONE = 4 * 64 * 64;

function most(build: (g: GraphBuilder, x: string) => string): number {
  const graph: Graph = { name: 'g', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
  const g = new GraphBuilder(graph, '/g');
  const x = g.addInput('x', DType.float, ['rows', 64]);
  g.addOutput(build(g, x));
  return mostLiveBytes(fixSizes(graph, new Map([['x', [64, 64]]])));
}

it('a chain of nodes holds the tensor it reads and the one it writes', () =>
  expect(most((g, x) => g.op('Softmax', [g.op('Softmax', [g.op('Softmax', [x])])]))).toBe(2 * ONE));

it('an elementwise node overwrites what nobody reads later', () =>
  expect(most((g, x) => g.op('Neg', [g.op('Neg', [g.op('Neg', [x])])]))).toBe(ONE));

it('a tensor is kept until its last reader', () =>
  expect(
    most((g, x) => {
      const kept = ['a', 'b', 'c'].map(() => g.op('Softmax', [x]));
      return kept.reduceRight((a, b) => g.op('Add', [a, b]));
    }),
  ).toBe(3 * ONE));

it('a view takes no memory, and keeps the tensor that it shows', () =>
  expect(
    most((g, x) => {
      const view = g.op('Reshape', [g.op('Softmax', [x]), g.ints([-1, 128])]);
      return g.op('Softmax', [g.op('Flatten', [view])]);
    }),
  ).toBe(2 * ONE));

it('a transposed operand of a product is not written', () => {
  const product = (g: GraphBuilder, x: string) =>
    g.op('MatMul', [x, g.op('Transpose', [x], { perm: [1, 0] })]);
  expect(most(product)).toBe(ONE);
  expect(most((g, x) => g.op('Softmax', [g.op('Transpose', [x], { perm: [1, 0] })]))).toBe(2 * ONE);
});

it('takes time in proportion to the number of nodes, however many read one tensor', () => {
  /** Elements of all arrays that are gone through. */
  const work = (readers: number): number => {
    const graph: Graph = { name: 'g', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
    const g = new GraphBuilder(graph, '/g');
    const x = g.op('Softmax', [g.addInput('x', DType.float, ['rows', 64])]);
    for (let i = 0; i < readers; i++) g.addOutput(g.op('Relu', [x]));
    const fixed = fixSizes(graph, new Map([['x', [64, 64]]]));
    const iterator = Array.prototype[Symbol.iterator];
    let elements = 0;
    Array.prototype[Symbol.iterator] = function (this: unknown[]) {
      elements += this.length;
      return iterator.call(this) as ArrayIterator<unknown>;
    };
    try {
      mostLiveBytes(fixed);
    } finally {
      Array.prototype[Symbol.iterator] = iterator;
    }
    return elements;
  };
  const [few, many] = [work(200), work(800)];
  expect(few).toBeGreaterThan(200);
  expect(many / few).toBeLessThan(5);
});
