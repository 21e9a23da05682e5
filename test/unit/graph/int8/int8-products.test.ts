import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSession } from '../../../../src/engine/onnxruntime/session';
import { DType } from '../../../../src/graph/dtype';
import { saveByReference } from '../../../../src/graph/file/save';
import { frozenProducts, inheritMark, markFrozenProducts } from '../../../../src/graph/int8/frozen-products';
import { withInt8Products, switchedProducts } from '../../../../src/graph/int8/int8-products';
import { channelSizes, outlierChannels } from '../../../../src/graph/int8/outliers';
import { storedWeight, weightKey, writeInt8Weights } from '../../../../src/graph/int8/weights-file';
import type { HostTensors } from '../../../../src/graph/tensor-infos';
import { outputsNamed, type Model, type Node, type Tensor } from '../../../../src/graph/model';
import { integerRows, transposeInto } from '../../../../src/graph/quantized/columns';
import { tensorNumbers, tensorOf, tensorValues } from '../../../../src/graph/values';
import { normal } from '../../../../src/base/random';
import { host, input, model, node } from '../onnx-models';
import { scratchFolder } from '../../../scratch';

const folder = scratchFolder('int8');
const [WIDE, NARROW] = [48, 32];

const numbers = (seed: number, n: number) => Array.from({ length: n }, (_, i) => normal(seed, i));
const weight = (name: string, seed: number, ...dims: number[]): Tensor =>
  tensorOf(name, DType.float, dims, numbers(seed, dims[0] * dims[1]));
const W = weight('W', 1, WIDE, NARROW);
const V = weight('V', 2, WIDE, NARROW);
const bias = tensorOf('b', DType.float, [WIDE], numbers(3, WIDE));

const sketch = (nodes: Node[], outputs: string[], initializers: Tensor[]): Model =>
  model({
    opset: 21,
    inputs: [
      input('x', DType.float, ['n', 's', WIDE]),
      input('A', DType.float, [16, WIDE]),
      input('dy', DType.float, ['m', NARROW]),
    ],
    nodes,
    outputs,
    initializers,
  });

/** A product, its backward pass as `MatMul`'s rule emits it, and one with everything that Gemm has. */
function step(): Model {
  const m = sketch(
    [
      node('MatMul', ['x', 'W'], ['h']),
      node('Gemm', ['dy', 'V', 'b'], ['z'], { transB: 1, alpha: { float: -0.5 }, beta: { float: 2 } }),
    ],
    ['h', 'z', 'dx'],
    [W, V, bias],
  );
  const graph = markFrozenProducts(m.graph, m.graph, ['A']);
  const backward = node('Gemm', ['dy', 'W'], ['dx'], { transB: 1 });
  inheritMark(graph.nodes[0], [backward]);
  return { ...m, graph: { ...graph, nodes: [...graph.nodes, backward] } };
}

async function run(m: Model, feeds: HostTensors, prepack = false): Promise<Record<string, number[]>> {
  const session = await openSession(saveByReference(m, folder, 'step.onnx'), { threads: 2, prepack });
  const given = Object.fromEntries(m.graph.inputs.map(({ name }) => [name, feeds[name]]));
  const out = await session.run(given);
  await session.dispose();
  return Object.fromEntries(Object.entries(out).map(([name, t]) => [name, Array.from(t.data, Number)]));
}

const weightsOf = (m: Model, largest = 127) =>
  writeInt8Weights(frozenProducts(m.graph).values(), join(folder, `weights.int8`), largest);

const feeds = (x: number[], dy: number[]): HostTensors => ({
  x: host([1, x.length / WIDE, WIDE], x),
  A: host([16, WIDE], numbers(9, 16 * WIDE)),
  dy: host([dy.length / NARROW, NARROW], dy),
});

/** The product by definition, in float64: both factors rounded to 127 steps, each row and column by its own largest value. */
function defined(x: number[], w: (i: number, o: number) => number, ins: number, outs: number): number[] {
  const rounded = (all: number[]) => {
    const largest = Math.max(...all.map(Math.abs));
    return all.map((v) => (Math.round((v / largest) * 127) * largest) / 127);
  };
  const columns = Array.from({ length: outs }, (_, o) =>
    rounded(Array.from({ length: ins }, (_, i) => w(i, o))),
  );
  return Array.from({ length: x.length / ins }, (_, r) => rounded(x.slice(r * ins, (r + 1) * ins))).flatMap(
    (row) => columns.map((column) => row.reduce((sum, v, i) => sum + v * column[i], 0)),
  );
}

const distance = (a: number[], b: number[]) =>
  Math.sqrt(a.reduce((s, v, i) => s + (v - b[i]) ** 2, 0) / b.reduce((s, v) => s + v * v, 0));

const norm = (a: number[]) => Math.sqrt(a.reduce((s, v) => s + v * v, 0));

describe('products in int8', () => {
  const [x, dy] = [numbers(4, 5 * WIDE), numbers(5, 5 * NARROW)];

  it('are those of rounded rows and rounded columns, near float32, forward and backward', async () => {
    const m = step();
    const int8 = withInt8Products(m, weightsOf(m));
    expect(int8.graph.nodes.some((n) => n.opType === 'MatMul' || n.opType === 'Gemm')).toBe(false);
    expect([...int8.graph.initializers.keys()].filter((name) => name === 'W' || name === 'V')).toEqual([]);
    const [exact, rounded] = [await run(m, feeds(x, dy)), await run(int8, feeds(x, dy))];
    const [w, v] = [tensorValues(W), tensorValues(V)] as Float32Array[];
    const b = tensorValues(bias) as Float32Array;
    const expected: Record<string, number[]> = {
      h: defined(x, (i, o) => w[i * NARROW + o], WIDE, NARROW),
      dx: defined(dy, (i, o) => w[o * NARROW + i], NARROW, WIDE),
      z: defined(dy, (i, o) => -0.5 * v[o * NARROW + i], NARROW, WIDE).map((y, at) => y + 2 * b[at % WIDE]),
    };
    for (const name of ['h', 'dx', 'z']) {
      expect(distance(rounded[name], expected[name]), name).toBeLessThan(1e-5);
      expect(distance(rounded[name], exact[name]), name).toBeLessThan(0.02);
      expect(rounded[name], name).not.toEqual(exact[name]);
    }
  });

  it('give a row the same bits whatever the other rows are, and packed as they are in training', async () => {
    const m = step();
    const int8 = withInt8Products(m, weightsOf(m));
    const whole = await run(int8, feeds(x, dy));
    expect(await run(int8, feeds(x, dy), true)).toEqual(whole);
    const others = (all: number[], width: number, factor: number) => [
      ...numbers(6, 70 * width).map((v) => factor * v),
      ...all.slice(2 * width, 3 * width),
      ...Array<number>(width).fill(0),
    ];
    for (const factor of [1e-6, 1, 1e6]) {
      const found = await run(int8, feeds(others(x, WIDE, factor), others(dy, NARROW, factor)), true);
      expect(found.h.slice(70 * NARROW, 71 * NARROW)).toEqual(whole.h.slice(2 * NARROW, 3 * NARROW));
      expect(found.dx.slice(70 * WIDE, 71 * WIDE)).toEqual(whole.dx.slice(2 * WIDE, 3 * WIDE));
      // A row of zeros, as padding has.
      expect(found.h.slice(71 * NARROW).every((v) => v === 0)).toBe(true);
    }
  });

  it('quantize what several products read once', () => {
    const m = sketch(
      [node('MatMul', ['x', 'W'], ['q']), node('MatMul', ['x', 'V'], ['k'])],
      ['q', 'k'],
      [W, V],
    );
    const marked = { ...m, graph: markFrozenProducts(m.graph, m.graph, ['A']) };
    const int8 = withInt8Products(marked, weightsOf(marked));
    expect(int8.graph.nodes.filter((n) => n.opType === 'QuantizeLinear')).toHaveLength(1);
    expect(int8.graph.nodes.filter((n) => n.opType === 'MatMulIntegerToFloat')).toHaveLength(2);
    const kept = withInt8Products(marked, weightsOf(marked), new Set(['W.int8']));
    expect(kept.graph.nodes.filter((n) => n.opType === 'MatMul').map((n) => n.inputs[1])).toEqual(['W']);
  });

  it('are none of weights alone, of trained weights, of constants of adapters and of narrow ones', () => {
    const small = weight('small', 7, WIDE, 8);
    const m = sketch(
      [
        node('MatMul', ['A', 'W'], ['ofWeights']),
        node('Transpose', ['A'], ['At'], { perm: [1, 0] }),
        node('MatMul', ['x', 'At'], ['trained']),
        node('MatMul', ['x', 'V'], ['adapter']),
        node('MatMul', ['x', 'small'], ['narrow']),
      ],
      ['ofWeights', 'trained', 'adapter', 'narrow'],
      [W, V, small],
    );
    const own = sketch([], [], [W, small]).graph;
    expect(frozenProducts(markFrozenProducts(m.graph, own, ['A'])).size).toBe(0);
    // With V in the user's model, its product is one.
    expect([...frozenProducts(markFrozenProducts(m.graph, m.graph, ['A'])).keys()]).toEqual(['adapter']);
  });

  it('read weights in float16 and parts of packed weights', async () => {
    const packed = weight('packed', 8, WIDE, 2 * NARROW);
    const half = tensorOf('half', DType.float16, W.dims, Array.from(tensorValues(W) as Float32Array));
    const m = sketch(
      [
        node('Cast', ['half'], ['wide'], { to: DType.float }),
        node('MatMul', ['x', 'wide'], ['h']),
        {
          ...node('Split', ['packed', 'sizes'], ['p', 'q'], { axis: 1 }),
          metadata: new Map([['aurora.packed', '1']]),
        },
        node('MatMul', ['x', 'q'], ['z']),
      ],
      ['h', 'z'],
      [half, packed, tensorOf('sizes', DType.int64, [2], [NARROW, NARROW])],
    );
    const marked = { ...m, graph: markFrozenProducts(m.graph, m.graph, ['A']) };
    const int8 = withInt8Products(marked, weightsOf(marked));
    expect(int8.graph.nodes.filter((n) => n.opType === 'MatMulIntegerToFloat')).toHaveLength(2);
    const [exact, rounded] = [await run(m, feeds(x, dy)), await run(int8, feeds(x, dy))];
    for (const name of ['h', 'z']) expect(distance(rounded[name], exact[name]), name).toBeLessThan(0.02);
  });

  it('have weights of 7 bits for processors that overflow, and each direction its own copy', () => {
    const weights = weightsOf(step(), 64);
    expect([...weights.keys()]).toEqual(['W.int8', 'V.transposed.int8', 'W.transposed.int8']);
    for (const { values } of weights.values())
      expect(Math.max(...tensorNumbers(values).map(Math.abs))).toBe(64);
    expect(weights.get('W.transposed.int8')!.values.dims).toEqual([NARROW, WIDE]);
  });

  it('multiply outlier channels in float32, so that the others keep their precision', async () => {
    const m = step();
    const weights = weightsOf(m);
    const large = x.map((v, i) => (i % WIDE === 3 ? 1000 * v : v));
    const [exact, plain] = [
      await run(m, feeds(large, dy)),
      await run(withInt8Products(m, weights), feeds(large, dy)),
    ];
    const { model: sizing, sizes } = channelSizes(m, ['x', 'dy']);
    const found = await run(sizing, feeds(large, dy));
    const channels = outlierChannels(found[sizes.get('x')!]);
    expect(channels).toEqual([3]);
    expect(outlierChannels(found[sizes.get('dy')!])).toEqual([]);
    const inputs = new Map([
      ['W.int8', channels],
      ['V.transposed.int8', [1, 5]],
    ]);
    const mixed = withInt8Products(m, weights, new Set(), inputs);
    const near = await run(mixed, feeds(large, dy));
    // Rounding can lose at most the contribution of the other channels.
    const others = await run(
      m,
      feeds(
        x.map((v, i) => (i % WIDE === 3 ? 0 : v)),
        dy,
      ),
    );
    const lost = (h: number[]) => distance(h, exact.h) * (norm(exact.h) / norm(others.h));
    expect(lost(plain.h)).toBeGreaterThan(0.5);
    expect(lost(near.h)).toBeLessThan(0.02);
    // A Gemm's factor and bias are applied once.
    expect(distance(near.z, exact.z)).toBeLessThan(0.02);
    const row = await run(mixed, feeds([...numbers(6, 9 * WIDE), ...large.slice(0, WIDE)], dy));
    expect(row.h.slice(9 * NARROW)).toEqual(near.h.slice(0, NARROW));
  });

  describe('with a weight that is stored in int8 columns', () => {
    const { values, scales } = integerRows(
      // Its columns differ in size, as a gradient times their scales shows.
      Float32Array.from({ length: NARROW * WIDE }, (_, at) => {
        const [o, i] = [Math.floor(at / WIDE), at % WIDE];
        return (1 + o) * (tensorValues(W) as Float32Array)[i * NARROW + o];
      }),
      WIDE,
    );
    const columns = new Int8Array(values.length);
    transposeInto(columns, { rows: NARROW, columns: WIDE, all: NARROW }, values);
    const stored = tensorOf('stored', DType.int8, [WIDE, NARROW], columns);
    const turned = tensorOf('turned', DType.int8, [NARROW, WIDE], values);
    /** A product, and its backward pass as `MatMul`'s rule emits it: the weight is dequantized again. */
    function storedStep(): Model {
      const m = sketch(
        [
          node('DequantizeLinear', ['stored', 'scales'], ['U'], { axis: 1 }),
          node('MatMul', ['x', 'U'], ['h']),
        ],
        ['h', 'dx'],
        [stored, tensorOf('scales', DType.float, [NARROW], scales)],
      );
      const graph = markFrozenProducts(m.graph, m.graph, ['A']);
      const again = node('DequantizeLinear', ['stored', 'scales'], ['U2'], { axis: 1 });
      const backward = node('Gemm', ['dy', 'U2'], ['dx'], { transB: 1 });
      inheritMark(graph.nodes[1], [again, backward]);
      return { ...m, graph: { ...graph, nodes: [...graph.nodes, again, backward] } };
    }
    const m = storedStep();
    const weightsWith = (copy?: Tensor) =>
      new Map([...frozenProducts(m.graph).values()].map((p) => [weightKey(p), storedWeight(p, copy)]));
    const integer = (i: number, o: number) => columns[i * NARROW + o];

    it('read its integers, forward and backward, from one copy or from two', async () => {
      const one = withInt8Products(m, weightsWith());
      const two = withInt8Products(m, weightsWith(turned));
      expect(one.graph.nodes.map((n) => n.opType)).toContain('Transpose');
      const types = two.graph.nodes.map((n) => n.opType);
      for (const type of ['Transpose', 'DequantizeLinear', 'MatMul', 'Gemm'])
        expect(types).not.toContain(type);
      const [exact, found] = [await run(m, feeds(x, dy)), await run(two, feeds(x, dy))];
      expect(await run(one, feeds(x, dy))).toEqual(found);
      const product = (
        rows: number[],
        width: number,
        of: (from: number, to: number) => number,
        outs: number,
      ) =>
        Array.from({ length: rows.length / width }, (_, r) => {
          const row = rows.slice(r * width, (r + 1) * width);
          const step = Math.max(...row.map(Math.abs)) / 127;
          return Array.from(
            { length: outs },
            (__, to) => step * row.reduce((sum, v, i) => sum + Math.round(v / step) * of(i, to), 0),
          );
        }).flat();
      const scaled = dy.map((v, at) => Math.fround(v * scales[at % NARROW]));
      const expected = {
        h: product(x, WIDE, (i, o) => integer(i, o) * scales[o], NARROW),
        dx: product(scaled, NARROW, (o, i) => integer(i, o), WIDE),
      };
      for (const name of ['h', 'dx'] as const) {
        expect(distance(found[name], expected[name]), name).toBeLessThan(1e-5);
        expect(distance(found[name], exact[name]), name).toBeLessThan(0.02);
      }
    });

    it('round activations to 7 bits for processors that overflow', async () => {
      const seven = withInt8Products(m, weightsWith(turned), new Set(), new Map(), 63);
      const [exact, found] = [await run(m, feeds(x, dy)), await run(seven, feeds(x, dy))];
      for (const name of ['h', 'dx']) expect(distance(found[name], exact[name]), name).toBeLessThan(0.04);
      // Such processors add pairs of products of an unsigned and a signed integer in 16 bits.
      const extremes = [
        ...x.map((v) => 1e3 * v),
        ...Array<number>(WIDE).fill(1),
        ...Array<number>(WIDE).fill(-1),
      ];
      const largestPair = async (int8: Model): Promise<number> => {
        const outputs = outputsNamed(
          int8.graph.nodes.filter((n) => n.opType === 'QuantizeLinear').map((n) => n.outputs[0]),
        );
        const rows = await run({ ...int8, graph: { ...int8.graph, outputs } }, feeds(extremes, dy));
        const sizes = Object.values(rows).map((all) => Math.max(...all));
        return 2 * Math.max(...sizes) * 127;
      };
      expect(await largestPair(seven)).toBeLessThan(2 ** 15);
      expect(await largestPair(withInt8Products(m, weightsWith(turned)))).toBeGreaterThan(2 ** 15);
    });

    it('multiply outlier channels by its float values', async () => {
      const large = x.map((v, i) => (i % WIDE === 3 ? 1000 * v : v));
      const near = withInt8Products(m, weightsWith(), new Set(), new Map([['U.int8', [3]]]));
      const plain = withInt8Products(m, weightsWith());
      const exact = await run(m, feeds(large, dy));
      const zeroed = await run(
        m,
        feeds(
          x.map((v, i) => (i % WIDE === 3 ? 0 : v)),
          dy,
        ),
      );
      const lost = (h: number[]) => distance(h, exact.h) * (norm(exact.h) / norm(zeroed.h));
      expect(lost((await run(plain, feeds(large, dy))).h)).toBeGreaterThan(0.5);
      expect(lost((await run(near, feeds(large, dy))).h)).toBeLessThan(0.02);
    });
  });

  it('have few outlier channels, or none', () => {
    const sizes = (...large: number[]) => Array.from({ length: 64 }, (_, i) => large[i] ?? 1);
    expect(outlierChannels(sizes(5, 7, 1, 100))).toEqual([1, 3]);
    expect(outlierChannels(sizes(...Array.from({ length: 10 }, (_, i) => 10 + i)))).toEqual([6, 7, 8, 9]);
    expect(outlierChannels(sizes(5, 4))).toEqual([]);
  });

  it('can be chosen again for each run of one session', async () => {
    const m = step();
    const weights = weightsOf(m);
    const forward = new Set(['W.int8', 'V.transposed.int8']);
    const { model: both, switches } = switchedProducts(m, weights, forward, new Map());
    expect([...switches.keys()]).toEqual([...forward]);
    for (const rounded of ['W.int8', 'V.transposed.int8']) {
      const chosen = [...switches].map(([key, input]) => [
        input,
        { dtype: DType.bool, dims: [], data: Uint8Array.of(key === rounded ? 1 : 0) },
      ]);
      const kept = [...forward].filter((key) => key !== rounded);
      const expected = await run(withInt8Products(m, weights, new Set(kept)), feeds(x, dy));
      const given = { ...feeds(x, dy), ...Object.fromEntries(chosen) };
      expect(await run(both, given)).toEqual(expected);
    }
  });
});
