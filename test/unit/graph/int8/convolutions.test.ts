import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { normal } from '../../../../src/base/random';
import { openSession } from '../../../../src/engine/onnxruntime/session';
import { differentiate } from '../../../../src/graph/autodiff/differentiate';
import { DType } from '../../../../src/graph/dtype';
import { saveByReference } from '../../../../src/graph/file/save';
import { frozenProducts, markFrozenProducts } from '../../../../src/graph/int8/frozen-products';
import { withInt8Products } from '../../../../src/graph/int8/int8-products';
import { writeInt8Weights } from '../../../../src/graph/int8/weights-file';
import { outputsNamed, type Model, type Node, type Tensor } from '../../../../src/graph/model';
import type { HostTensors } from '../../../../src/graph/tensor-infos';
import { tensorOf, tensorValues } from '../../../../src/graph/values';
import { scratchFolder } from '../../../scratch';
import { host, input, model, node, type Attributes } from '../onnx-models';

const folder = scratchFolder('int8-convolutions');
const [FROM, TO] = [18, 16];

const numbers = (seed: number, n: number) => Array.from({ length: n }, (_, i) => normal(seed, i));
const weight = (name: string, seed: number, ...dims: number[]): Tensor =>
  tensorOf(
    name,
    DType.float,
    dims,
    numbers(
      seed,
      dims.reduce((a, b) => a * b, 1),
    ),
  );
const bias = weight('b', 3, TO);

/** A batch of images, and how they are convolved. */
interface Case {
  batch?: number;
  sides?: [number, number];
  kernel: [number, number];
  /** Top, left, bottom, right. */
  pads: [number, number, number, number];
}

const outSides = ({ sides = [5, 6], kernel, pads }: Case): [number, number] => [
  sides[0] + pads[0] + pads[2] - kernel[0] + 1,
  sides[1] + pads[1] + pads[3] - kernel[1] + 1,
];

/** A convolution with a bias, and its gradient as the rule emits it. */
function step(c: Case): Model {
  const { sides = [5, 6], kernel, pads } = c;
  const W = weight('W', 1, TO, FROM, ...kernel);
  const m = model({
    opset: 21,
    inputs: [
      input('x', DType.float, ['n', FROM, ...sides]),
      input('dy', DType.float, ['n', TO, ...outSides(c)]),
    ],
    nodes: [node('Conv', ['x', 'W', 'b'], ['y'], { pads })],
    outputs: [],
    initializers: [W, bias],
  });
  const marked = markFrozenProducts(m.graph, m.graph, []);
  const graph = { ...marked, nodes: [...marked.nodes] };
  const infos = new Map([
    ['x', { dtype: DType.float, shape: ['n', FROM, ...sides] }],
    ['y', { dtype: DType.float, shape: ['n', TO, ...outSides(c)] }],
    ['W', { dtype: DType.float, shape: W.dims }],
    ['b', { dtype: DType.float, shape: bias.dims }],
  ]);
  const dx = differentiate(graph, infos, new Map([['y', 'dy']]), ['x']).get('x')!;
  return { ...m, graph: { ...graph, outputs: outputsNamed(['y', dx]) } };
}

async function run(m: Model, feeds: HostTensors): Promise<number[][]> {
  const session = await openSession(saveByReference(m, folder, 'step.onnx'), { threads: 2 });
  const out = await session.run(feeds);
  await session.dispose();
  return m.graph.outputs.map(({ name }) => Array.from(out[name]!.data, Number));
}

const inInt8 = (m: Model, largest = 127) =>
  withInt8Products(
    m,
    writeInt8Weights(frozenProducts(m.graph).values(), join(folder, 'weights.int8'), largest),
  );

const feedsOf = (c: Case, x: number[], dy: number[]): HostTensors => ({
  x: host([c.batch ?? 1, FROM, ...(c.sides ?? [5, 6])], x),
  dy: host([c.batch ?? 1, TO, ...outSides(c)], dy),
});

const imageOf = (c: Case) => FROM * (c.sides ?? [5, 6]).reduce((a, b) => a * b, 1);
const resultOf = (c: Case) => TO * outSides(c).reduce((a, b) => a * b, 1);

/** Numbers rounded to multiples of 1/127 of the largest magnitude among them. */
function rounded(all: number[]): number[] {
  const size = Math.max(...all.map(Math.abs)) / 127;
  return all.map((v) => Math.round(v / size) * size);
}

/**
 * By definition, in float64: each image is rounded as a whole, and of the weight what leads to one output.
 *
 * @param w of an output, an input and a position of the kernel
 */
function convolved(
  image: number[],
  [from, to]: [number, number],
  sides: [number, number],
  { kernel: [high, wide], pads: [top, left, bottom, right] }: Case,
  w: (o: number, i: number, row: number, column: number) => number,
): number[] {
  const x = rounded(image);
  const [rows, columns] = [sides[0] + top + bottom - high + 1, sides[1] + left + right - wide + 1];
  return Array.from({ length: to }, (_, o) => {
    const flat = rounded(
      Array.from({ length: from * high * wide }, (__, at) =>
        w(o, Math.floor(at / high / wide), Math.floor(at / wide) % high, at % wide),
      ),
    );
    return Array.from({ length: rows * columns }, (__, at) => {
      const [r, c] = [Math.floor(at / columns) - top, (at % columns) - left];
      let sum = 0;
      for (let i = 0; i < from; i++)
        for (let dr = 0; dr < high; dr++)
          for (let dc = 0; dc < wide; dc++) {
            const [row, column] = [r + dr, c + dc];
            if (row < 0 || column < 0 || row >= sides[0] || column >= sides[1]) continue;
            sum += x[(i * sides[0] + row) * sides[1] + column]! * flat[(i * high + dr) * wide + dc]!;
          }
      return sum;
    });
  }).flat();
}

const distance = (a: number[], b: number[]) =>
  Math.sqrt(a.reduce((s, v, i) => s + (v - b[i]!) ** 2, 0) / b.reduce((s, v) => s + v * v, 0));

const KERNELS: [string, Case][] = [
  ['3 × 3', { kernel: [3, 3], pads: [1, 1, 1, 1] }],
  ['3 × 2 with uneven margins', { kernel: [3, 2], pads: [0, 1, 2, 0] }],
  ['5 × 5 without margins', { kernel: [5, 5], pads: [0, 0, 0, 0] }],
];

describe('convolutions in int8', () => {
  it.each(KERNELS)(
    'are those of rounded images and weights, near float32, forward and backward: %s',
    async (_, c) => {
      const m = step(c);
      const int8 = inInt8(m);
      const types = int8.graph.nodes.map((n) => n.opType);
      expect(types.filter((type) => type === 'MatMulIntegerToFloat')).toHaveLength(2);
      expect(types).not.toContain('Conv');
      expect(types).not.toContain('ConvTranspose');
      expect(int8.graph.initializers.has('W')).toBe(false);
      const [x, dy] = [numbers(4, imageOf(c)), numbers(5, resultOf(c))];
      const [exact, found] = [await run(m, feedsOf(c, x, dy)), await run(int8, feedsOf(c, x, dy))];
      const w = tensorValues(m.graph.initializers.get('W')!) as Float32Array;
      const [high, wide] = c.kernel;
      const at = (o: number, i: number, row: number, column: number) =>
        w[((o * FROM + i) * high + row) * wide + column]!;
      const sides = c.sides ?? [5, 6];
      const plane = resultOf(c) / TO;
      const b = tensorValues(bias) as Float32Array;
      const y = convolved(x, [FROM, TO], sides, c, at).map((v, n) => v + b[Math.floor(n / plane)]!);
      // The gradient is a convolution with the kernel turned by 180°.
      const [top, left, bottom, right] = c.pads;
      const pads = [high - 1 - top, wide - 1 - left, high - 1 - bottom, wide - 1 - right];
      const turned = { ...c, pads: pads as Case['pads'] };
      const dx = convolved(dy, [TO, FROM], outSides(c), turned, (i, o, row, column) =>
        at(o, i, high - 1 - row, wide - 1 - column),
      );
      for (const [n, expected] of [y, dx].entries()) {
        expect(distance(found[n]!, expected)).toBeLessThan(1e-5);
        expect(distance(found[n]!, exact[n]!)).toBeLessThan(0.025);
        expect(found[n]).not.toEqual(exact[n]);
      }
    },
  );

  it.each([
    ['3 × 3', { kernel: [3, 3], pads: [1, 1, 1, 1] }],
    ['1 × 1', { kernel: [1, 1], pads: [0, 0, 0, 0] }],
  ] as [string, Case][])('give an image the same bits whatever others are in the batch: %s', async (_, c) => {
    const int8 = inInt8(step(c));
    const [x, dy] = [numbers(4, imageOf(c)), numbers(5, resultOf(c))];
    const alone = await run(int8, feedsOf(c, x, dy));
    for (const factor of [0, 1e-6, 1e6]) {
      const other = (n: number) => numbers(6, n).map((v) => factor * v);
      const three = (own: number[]) => [...other(own.length), ...own, ...other(own.length)];
      const found = await run(int8, feedsOf({ ...c, batch: 3 }, three(x), three(dy)));
      for (const [n, image] of alone.entries())
        expect(found[n]!.slice(image.length, 2 * image.length)).toEqual(image);
    }
  });

  it('of a single position round each position by itself', async () => {
    const c: Case = { kernel: [1, 1], pads: [0, 0, 0, 0] };
    const m = step(c);
    // One position is much larger than the others.
    const x = numbers(4, imageOf(c)).map((v, i) => (i % 30 === 7 ? 1e4 * v : v));
    const dy = numbers(5, resultOf(c));
    const [[exact], [found]] = [await run(m, feedsOf(c, x, dy)), await run(inInt8(m), feedsOf(c, x, dy))];
    const others = (y: number[]) => y.filter((_, i) => i % 30 !== 7);
    expect(distance(others(found!), others(exact!))).toBeLessThan(0.025);
  });

  it('use more integers for positive values where SiLU comes before', async () => {
    const m = model({
      opset: 21,
      inputs: [input('x', DType.float, [1, FROM, 5, 6])],
      nodes: [
        node('Sigmoid', ['x'], ['s']),
        node('Mul', ['x', 's'], ['a']),
        node('Conv', ['a', 'W'], ['y'], { pads: [1, 1, 1, 1] }),
        node('Mul', ['x', 'one'], ['b']),
        node('Conv', ['b', 'W'], ['z'], { pads: [1, 1, 1, 1] }),
      ],
      outputs: ['y', 'z'],
      initializers: [weight('W', 1, TO, FROM, 3, 3), tensorOf('one', DType.float, [], [1])],
    });
    const marked = { ...m, graph: markFrozenProducts(m.graph, m.graph, []) };
    const int8 = inInt8(marked);
    const large = numbers(4, FROM * 30).map((v) => 3 * v);
    const feeds = { x: host([1, FROM, 5, 6], large) };
    const [exact, found] = [await run(m, feeds), await run(int8, feeds)];
    for (const n of [0, 1]) expect(distance(found[n]!, exact[n]!)).toBeLessThan(0.025);
    const quantized = int8.graph.nodes.filter((n) => n.opType === 'QuantizeLinear');
    const outputs = outputsNamed(quantized.map((n) => n.outputs[0]!));
    const [silu, plain] = await run({ ...int8, graph: { ...int8.graph, outputs } }, feeds);
    // Values that are 0 are the zero point.
    expect([Math.max(...silu!), Math.max(...plain!.map((v) => Math.abs(v - 128)))]).toEqual([255, 127]);
    const zeros = feedsOf({ kernel: [3, 3], pads: [1, 1, 1, 1] }, Array<number>(FROM * 30).fill(0), []).x;
    expect((await run(int8, { x: zeros! })).flat().every((v) => v === 0)).toBe(true);
    // No value is beyond the range, however many negative ones there are.
    const negative = {
      x: host(
        [1, FROM, 5, 6],
        numbers(4, FROM * 30).map((v) => -Math.abs(v)),
      ),
    };
    const [[low], [near]] = [await run(m, negative), await run(int8, negative)];
    expect(distance(near!, low!)).toBeLessThan(0.1);
  });

  it('have weights of 7 bits for processors that overflow', async () => {
    const c: Case = { kernel: [3, 3], pads: [1, 1, 1, 1] };
    const m = step(c);
    const weights = writeInt8Weights(frozenProducts(m.graph).values(), join(folder, 'seven.int8'), 64);
    expect([...weights.keys()]).toEqual(['W.int8', 'W.transposed.int8']);
    for (const { values } of weights.values())
      expect(Math.max(...(tensorValues(values) as Int8Array).map(Math.abs))).toBe(64);
    expect(weights.get('W.int8')!.values.dims).toEqual([9 * FROM, TO]);
    expect(weights.get('W.transposed.int8')!.values.dims).toEqual([9 * TO, FROM]);
  });

  const unlike: [string, Attributes, number[]][] = [
    ['a stride', { strides: [2, 2] }, [TO, FROM, 3, 3]],
    ['a dilation', { dilations: [2, 2] }, [TO, FROM, 3, 3]],
    ['groups', { group: 2 }, [TO, FROM, 3, 3]],
    ['margins by name', { auto_pad: 'SAME_UPPER' }, [TO, FROM, 3, 3]],
    ['margins wider than the kernel', { pads: [1, 3, 1, 1] }, [TO, FROM, 3, 3]],
    ['few channels', {}, [8, FROM, 3, 3]],
    ['one axis', {}, [TO, FROM, 3]],
  ];
  it.each(unlike)('leave one with %s in float32', (_, attributes, dims) => {
    const one = (nodes: Node[]) =>
      model({
        opset: 21,
        inputs: [input('x', DType.float, ['n', FROM, 8, ...(dims.length > 3 ? [8] : [])])],
        nodes,
        outputs: ['y'],
        initializers: [weight('W', 1, ...dims)],
      }).graph;
    const graph = one([node('Conv', ['x', 'W'], ['y'], attributes)]);
    expect(frozenProducts(markFrozenProducts(graph, graph, [])).size).toBe(0);
    const plain = one([node('Conv', ['x', 'W'], ['y'])]);
    const expected = dims.length === 4 && dims[0]! >= 16 ? 1 : 0;
    expect(frozenProducts(markFrozenProducts(plain, plain, [])).size).toBe(expected);
  });

  it('read weights in float16', async () => {
    const c: Case = { kernel: [3, 3], pads: [1, 1, 1, 1] };
    const half = tensorOf('half', DType.float16, [TO, FROM, 3, 3], numbers(1, TO * FROM * 9));
    const m = model({
      opset: 21,
      inputs: [input('x', DType.float, [1, FROM, 5, 6])],
      nodes: [
        node('Cast', ['half'], ['W'], { to: DType.float }),
        node('Conv', ['x', 'W'], ['y'], { pads: c.pads }),
      ],
      outputs: ['y'],
      initializers: [half],
    });
    const marked = { ...m, graph: markFrozenProducts(m.graph, m.graph, []) };
    const feeds = { x: host([1, FROM, 5, 6], numbers(4, imageOf(c))) };
    const [[exact], [found]] = [await run(m, feeds), await run(inInt8(marked), feeds)];
    expect(distance(found!, exact!)).toBeLessThan(0.025);
    expect(found).not.toEqual(exact);
  });
});
