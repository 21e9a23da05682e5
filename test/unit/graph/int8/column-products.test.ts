import { describe, expect, it } from 'vitest';
import { normal } from '../../../../src/base/random';
import { DType } from '../../../../src/graph/dtype';
import { columnProducts } from '../../../../src/graph/int8/column-products';
import { integerRows, transposeInto } from '../../../../src/graph/quantized/columns';
import { tensorOf } from '../../../../src/graph/values';
import { host, input, model, node, runModel } from '../onnx-models';

const [WIDE, NARROW, ROWS] = [48, 32, 5];
const numbers = (seed: number, n: number) => Array.from({ length: n }, (_, i) => normal(seed, i));
const { values, scales } = integerRows(Float32Array.from(numbers(1, WIDE * NARROW)), WIDE);
const turned = new Int8Array(values.length);
transposeInto(turned, { rows: NARROW, columns: WIDE, all: NARROW }, values);

const m = model({
  opset: 21,
  inputs: [input('x', DType.float, ['n', 's', WIDE]), input('flat', DType.float, ['rows', WIDE])],
  nodes: [
    node('DequantizeLinear', ['Q', 's'], ['W'], { axis: 1 }),
    node('MatMul', ['x', 'W'], ['h']),
    node('Gemm', ['flat', 'W', 'b'], ['z']),
    node('Gemm', ['flat', 'W'], ['scaled'], { alpha: { float: 0.5 } }),
  ],
  outputs: ['h', 'z', 'scaled'],
  initializers: [
    tensorOf('Q', DType.int8, [WIDE, NARROW], turned),
    tensorOf('s', DType.float, [NARROW], scales),
    tensorOf('b', DType.float, [NARROW], numbers(2, NARROW)),
  ],
});
const run = (of: typeof m, x: number[]) =>
  runModel(of, { x: host([1, x.length / WIDE, WIDE], x), flat: host([x.length / WIDE, WIDE], x) });
const list = (out: Awaited<ReturnType<typeof run>>, name: string) => Array.from(out[name]!.data, Number);
/** The largest difference, as a share of the largest number. */
const distance = (a: number[], b: number[]) =>
  Math.max(...a.map((v, i) => Math.abs(v - b[i]!))) / Math.max(...b.map(Math.abs));

describe('products with weights in int8 columns', () => {
  // Rows of very different sizes, as of tokens with outliers, and one of zeros.
  const x = numbers(3, ROWS * WIDE).map((v, i) => v * 10 ** (Math.floor(i / WIDE) - 2));
  x.fill(0, 0, WIDE);

  it.each([
    [127, 1e-4],
    [63, 4e-4],
  ])('are those of float32 with integers of up to %i, row by row', async (largest, most) => {
    const integers = columnProducts(m, largest);
    const products = integers.graph.nodes.filter(({ opType }) => opType === 'MatMulIntegerToFloat');
    expect(products).toHaveLength(2);
    const [exact, found] = [await run(m, x), await run(integers, x)];
    for (let row = 0; row < ROWS; row++)
      for (const name of ['h', 'z']) {
        const [a, b] = [found, exact].map((out) => list(out, name).slice(row * NARROW, (row + 1) * NARROW));
        if (row === 0 && name === 'h') expect(a).toEqual(b);
        else expect(distance(a!, b!), `${name} ${row}`).toBeLessThan(most);
      }
    expect(list(found, 'scaled')).toEqual(list(exact, 'scaled'));
    const alone = await run(integers, x.slice(-WIDE));
    expect(list(alone, 'h')).toEqual(list(found, 'h').slice(-NARROW));
  });

  it('are left alone in a model without such weights', () => {
    const plain = model({
      opset: 21,
      inputs: [input('x', DType.float, ['rows', WIDE])],
      nodes: [node('MatMul', ['x', 'W'], ['h'])],
      outputs: ['h'],
      initializers: [tensorOf('W', DType.float, [WIDE, NARROW], numbers(4, WIDE * NARROW))],
    });
    expect(columnProducts(plain, 127)).toBe(plain);
  });
});
