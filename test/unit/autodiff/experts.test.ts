import { expect, it } from 'vitest';
import { statedInfos } from '../../../src/engine/onnxruntime/probe';
import type { GraphBuilder } from '../../../src/graph/builder';
import { Declared } from '../../../src/graph/declared';
import { DType } from '../../../src/graph/dtype';
import { productFlops } from '../../../src/graph/sizes/products';
import { declareSizes, fixSizes } from '../../../src/graph/sizes/sizes';
import { checkGradients, differentiated } from './check';
import type { Problem } from './problem';

const EXPERTS = 4;

/** Rows of x, each multiplied by the weight of its expert, in the order that they had. The last expert never has one. */
const routed: Problem = {
  inputs: {
    x: { shape: ['a', 3] },
    ids: { shape: ['a'], dtype: DType.int64, range: [0, EXPERTS - 1] },
    ...Object.fromEntries(Array.from({ length: EXPERTS }, (_, e) => [`w${e}`, { shape: [3, 2] }])),
  },
  open: ['a'],
  build(g) {
    const order = sorting(g, 'ids');
    const places = sorting(g, order);
    const ones = g.op('Expand', [g.ints([1]), g.op('Shape', ['ids'])]);
    const none = g.ints(new Array<number>(EXPERTS).fill(0));
    const counts = g.op('ScatterElements', [none, 'ids', ones], { axis: 0, reduction: 'add' });
    const rows = g.op('Gather', ['x', order], { axis: 0 });
    const parts = g.ops('Split', [rows, counts], { axis: 0 }, { outputs: EXPERTS });
    const products = parts.map((part, e) => g.op('Gemm', [part, `w${e}`]));
    return [g.op('Gather', [g.op('Concat', products, { axis: 0 }), places], { axis: 0 })];
  },
};

function sorting(g: GraphBuilder, values: string): string {
  return g.ops('TopK', [values, g.op('Shape', [values])], { axis: 0, largest: 0 }, { outputs: 2 })[1];
}

it.each([1, 2, 3, 4, 5])('gradients of rows that are dealt out agree with finite differences: %i', (seed) =>
  checkGradients(routed, seed),
);

it('the backward pass sorts rows, adds none one by one, and keeps no part to know its size', async () => {
  const { forward, backward } = await differentiated(routed);
  const added = backward.graph.nodes.slice(forward.graph.nodes.length);
  const count = (type: string) => added.filter((n) => n.opType === type).length;
  expect(count('ScatterElements')).toBe(0);
  expect(count('Gather')).toBe(2);
  const parts = new Set(forward.graph.nodes.find((n) => n.opType === 'Split')!.outputs);
  expect(added.filter((n) => n.opType === 'Shape' && parts.has(n.inputs[0]))).toEqual([]);
  const [split] = added.filter((n) => n.opType === 'Split');
  expect(split.inputs[1]).toBe(forward.graph.nodes.find((n) => n.opType === 'Split')!.inputs[1]);
});

it('parts have axes of their own, which together are those that were split', async () => {
  const { forward } = await differentiated(routed);
  const infos = statedInfos(forward)!;
  const node = (type: string) => forward.graph.nodes.find((n) => n.opType === type)!;
  const rows = (name: string) => infos.get(name)!.shape[0];
  const parts = node('Split').outputs.map(rows);
  expect(new Set(parts).size).toBe(EXPERTS);
  expect(parts.every((size) => typeof size === 'string')).toBe(true);
  expect(node('Concat').inputs.map(rows)).toEqual(parts);
  expect(rows(node('Concat').outputs[0])).toBe(rows('x'));
  const declared = new Declared(declareSizes(forward.graph));
  const names = node('Split').outputs.map((name) => declared.shape(name)![0]);
  expect(new Set(names).size).toBe(EXPERTS);
});

it('operations are counted for the rows that there are, whoever gets them', async () => {
  const { forward } = await differentiated(routed);
  const dims = [3, 2];
  const sizes = new Map([
    ['x', [10, 3]],
    ['ids', [10]],
    ...Array.from({ length: EXPERTS }, (_, e) => [`w${e}`, dims] as const),
  ]);
  const { infos } = fixSizes(forward.graph, sizes);
  const flops = forward.graph.nodes
    .filter((n) => n.opType === 'Gemm')
    .map((n) =>
      productFlops(
        'Gemm',
        n.inputs.map((x) => infos.get(x)!.shape),
        infos.get(n.outputs[0])!.shape,
      ),
    );
  expect(flops.reduce((a, b) => a + b, 0)).toBe(2 * 10 * 3 * 2);
});
