import { expect, it } from 'vitest';
import { openSession } from '../../../src/engine/onnxruntime/session';
import { GraphBuilder } from '../../../src/graph/builder';
import { DType } from '../../../src/graph/dtype';
import { type Graph, INTERNAL_IR_VERSION, INTERNAL_OPSET } from '../../../src/graph/model';
import { encodeModel } from '../../../src/graph/onnx/encode';

const [ROWS, WIDTH] = [8, 64];
const numbers = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(seed + 1.7 * i));

it.each([false, true])(
  'a product with a dequantized weight is one in float32, packed: %s',
  async (prepack) => {
    const graph: Graph = { name: 'product', nodes: [], initializers: new Map(), inputs: [], outputs: [] };
    const g = new GraphBuilder(graph, '/product');
    const integers = Int8Array.from(numbers(WIDTH * WIDTH, 3), (v) => Math.round(127 * v));
    const scales = numbers(WIDTH, 5).map((v) => 0.01 + 0.01 * Math.abs(v));
    const data = new Uint8Array(integers.buffer);
    const weight = g.addInitializer({ name: 'w', dtype: DType.int8, dims: [WIDTH, WIDTH], data });
    const wide = g.op('DequantizeLinear', [weight, g.constant(DType.float, [WIDTH], [...scales])], {
      axis: 1,
    });
    const y = g.op('MatMul', [g.addInput('x', DType.float, [ROWS, WIDTH]), wide]);
    g.addOutput(y);
    const session = await openSession(
      encodeModel({
        irVersion: INTERNAL_IR_VERSION,
        producer: 'aurora-lab',
        opsets: new Map([['', INTERNAL_OPSET]]),
        graph,
        metadata: new Map(),
      }),
      { prepack },
    );
    const x = numbers(ROWS * WIDTH, 7);
    const out = await session.run({ x: { dtype: DType.float, dims: [ROWS, WIDTH], data: x } });
    await session.dispose();
    const expected = Float32Array.from({ length: ROWS * WIDTH }, (_, at) => {
      const [row, column] = [Math.floor(at / WIDTH), at % WIDTH];
      let sum = 0;
      for (let i = 0; i < WIDTH; i++)
        sum += x[row * WIDTH + i]! * integers[i * WIDTH + column]! * scales[column]!;
      return sum;
    });
    const differences = expected.map((v, i) => Math.abs(v - Number(out[y]!.data[i])));
    expect(Math.max(...differences)).toBeLessThan(1e-4);
  },
);
