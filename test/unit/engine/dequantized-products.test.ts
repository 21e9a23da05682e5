import { expect, it } from 'vitest';
import { openSession } from '../../../src/engine/onnxruntime/session';
import { DType } from '../../../src/graph/dtype';
import { encodeModel } from '../../../src/graph/onnx/encode';
import { inBlocks, isInBlocks } from '../../../src/graph/passes/in-blocks';
import { tensorOf } from '../../../src/graph/values';
import { host, input, model, node } from '../graph/onnx-models';

const [ROWS, WIDTH] = [8, 64];
const numbers = (count: number, seed: number) =>
  Array.from({ length: count }, (_, i) => Math.sin(seed + 1.7 * i));
const integers = numbers(WIDTH * WIDTH, 3).map((v) => Math.round(127 * v));
const scales = Float32Array.from(numbers(WIDTH, 5), (v) => 0.01 + 0.01 * Math.abs(v));

const m = model({
  opset: 21,
  inputs: [input('x', DType.float, [ROWS, WIDTH])],
  nodes: [node('DequantizeLinear', ['q', 's'], ['w'], { axis: 1 }), node('MatMul', ['x', 'w'], ['y'])],
  outputs: ['y'],
  initializers: [
    tensorOf('q', DType.int8, [WIDTH, WIDTH], integers),
    tensorOf('s', DType.float, [WIDTH], scales),
  ],
});

/** With enough nodes for a block, of which the last gives y. */
const many = {
  ...m,
  graph: {
    ...m.graph,
    nodes: [
      ...m.graph.nodes.map((n) => ({ ...n, outputs: n.outputs.map((y) => (y === 'y' ? 'link0' : y)) })),
      ...Array.from({ length: 200 }, (_, i) =>
        node('Identity', [`link${i}`], [i === 199 ? 'y' : `link${i + 1}`]),
      ),
    ],
  },
};
const blocks = { ...many, graph: inBlocks(many.graph) };

it('has a graph in blocks to test', () => expect(isInBlocks(blocks.graph)).toBe(true));

it.each([
  ['as it is', m, false],
  ['packed', m, true],
  ['in blocks', blocks, false],
  ['packed, in blocks', blocks, true],
])('a product with a dequantized weight is one in float32: %s', async (_, of, prepack) => {
  const session = await openSession(encodeModel(of), { prepack, inBlocks: isInBlocks(of.graph) });
  const x = numbers(ROWS * WIDTH, 7);
  const out = await session.run({ x: host([ROWS, WIDTH], x) });
  await session.dispose();
  const differences = Array.from(out['y']!.data, Number).map((y, at) => {
    const [row, column] = [Math.floor(at / WIDTH), at % WIDTH];
    let sum = 0;
    for (let i = 0; i < WIDTH; i++)
      sum += x[row * WIDTH + i]! * integers[i * WIDTH + column]! * scales[column]!;
    return Math.abs(y - sum);
  });
  expect(Math.max(...differences)).toBeLessThan(1e-4);
});
