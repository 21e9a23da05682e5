import { describe, expect, it } from 'vitest';
import { normal } from '../../../../src/base/random';
import { DType } from '../../../../src/graph/dtype';
import { frozenProducts, inheritMark, markFrozenProducts } from '../../../../src/graph/int8/frozen-products';
import { withInt8Products } from '../../../../src/graph/int8/int8-products';
import { originalWeights } from '../../../../src/graph/int8/original-weights';
import { storedWeight, weightKey } from '../../../../src/graph/int8/weights-file';
import type { Model } from '../../../../src/graph/model';
import { halvesInPieces } from '../../../../src/graph/pieces/halves';
import { integerRows, transposeInto } from '../../../../src/graph/quantized/columns';
import { floatValues, tensorOf } from '../../../../src/graph/values';
import { host, input, model, node, runModel } from '../onnx-models';

const [WIDE, NARROW, ROWS] = [48, 32, 6];
const numbers = (seed: number, n: number) => Array.from({ length: n }, (_, i) => normal(seed, i));
const inputs = [
  input('x', DType.float, ['n', 's', WIDE]),
  input('flat', DType.float, ['m', WIDE]),
  input('dz', DType.float, ['m', NARROW]),
];
const feeds = {
  x: host([2, ROWS / 2, WIDE], numbers(1, ROWS * WIDE)),
  flat: host([ROWS, WIDE], numbers(2, ROWS * WIDE)),
  dz: host([ROWS, NARROW], numbers(4, ROWS * NARROW)),
};
const bias = tensorOf('b', DType.float, [NARROW], numbers(5, NARROW));

/** A layer's products, of two and of three axes. `U` is the weight (in, out). */
const forwardOf = ({ alpha }: Form) => [
  node('MatMul', ['x', 'U'], ['h']),
  node('Gemm', ['flat', 'U', 'b'], ['z'], { beta: { float: alpha } }),
];
/** The product of its gradient. */
const backwardOf = ({ alpha }: Form) =>
  node('Gemm', ['dz', 'U2'], ['dx'], { transB: 1, alpha: { float: alpha } });
const outputs = ['h', 'z', 'dx'];

interface Form {
  transposed: boolean;
  alpha: number;
  dtype: number;
}

/** The user's graph before its weight was rounded. */
function original({ transposed, alpha, dtype }: Form): Model {
  const dims = transposed ? [NARROW, WIDE] : [WIDE, NARROW];
  return model({
    opset: 21,
    inputs,
    nodes: [
      node('Cast', ['U'], ['wide'], { to: DType.float }),
      node('Gemm', ['flat', 'wide'], ['y'], { transB: transposed ? 1 : 0, alpha: { float: alpha } }),
    ],
    outputs: ['y'],
    initializers: [tensorOf('U', dtype, dims, numbers(6, WIDE * NARROW))],
  });
}

/** A step's graph with the weight in float32 and with it in int8. */
function steps(form: Form): { exact: Model; stored: Model } {
  const u = original(form).graph.initializers.get('U')!;
  const values = floatValues(u).map((w) => form.alpha * w);
  const byOutput = Float32Array.from({ length: values.length }, (_, at) => {
    const [o, i] = [Math.floor(at / WIDE), at % WIDE];
    return values[form.transposed ? at : i * NARROW + o]!;
  });
  const [rounded, floats] = [integerRows(byOutput, WIDE), new Float32Array(values.length)];
  const integers = new Int8Array(values.length);
  transposeInto(integers, { rows: NARROW, columns: WIDE, all: NARROW }, rounded.values);
  byOutput.forEach((w, at) => (floats[(at % WIDE) * NARROW + Math.floor(at / WIDE)] = w));
  const exact = model({
    opset: 21,
    inputs,
    nodes: [node('Identity', ['U'], ['U2']), ...forwardOf(form), backwardOf(form)],
    outputs,
    initializers: [tensorOf('U', DType.float, [WIDE, NARROW], floats), bias],
  });
  const read = (y: string) => node('DequantizeLinear', ['integers', 'scales'], [y], { axis: 1 });
  const forward = model({
    opset: 21,
    inputs,
    nodes: [read('U'), ...forwardOf(form)],
    outputs,
    initializers: [
      tensorOf('integers', DType.int8, [WIDE, NARROW], integers),
      tensorOf('scales', DType.float, [NARROW], rounded.scales),
      bias,
    ],
  });
  const graph = markFrozenProducts(forward.graph, forward.graph, []);
  const again = [read('U2'), backwardOf(form)];
  inheritMark(graph.nodes[1]!, again);
  return { exact, stored: { ...forward, graph: { ...graph, nodes: [...graph.nodes, ...again] } } };
}

const FORMS: [string, Form][] = [
  ['(in, out) in float32', { transposed: false, alpha: 1, dtype: DType.float }],
  ['(out, in) in float32', { transposed: true, alpha: 1, dtype: DType.float }],
  ['(in, out) in float32, times a factor', { transposed: false, alpha: -0.5, dtype: DType.float }],
  ['(out, in) in bfloat16, times a factor', { transposed: true, alpha: 2, dtype: DType.bfloat16 }],
  ['(in, out) in float16', { transposed: false, alpha: 1, dtype: DType.float16 }],
];

describe.each(FORMS)('products with a weight that was rounded: %s', (_, form) => {
  const { exact, stored } = steps(form);
  const originals = originalWeights(original(form).graph);
  const weights = new Map(
    [...frozenProducts(stored.graph).values()].map((p) => [
      weightKey(p),
      storedWeight(p, undefined, originals.get(p.layer)),
    ]),
  );
  const run = async (m: Model) => {
    const out = await runModel(m, feeds);
    return new Map(outputs.map((name) => [name, Array.from(out[name]!.data, Number)]));
  };
  const distance = (a: number[], b: number[]) =>
    Math.sqrt(a.reduce((s, v, i) => s + (v - b[i]!) ** 2, 0) / b.reduce((s, v) => s + v * v, 0));

  it('read the original one in float32, forward and backward', async () => {
    expect(weights.size).toBe(2);
    const kept = withInt8Products(stored, weights, new Set(weights.keys()));
    expect(kept.graph.initializers.has('integers')).toBe(false);
    const [expected, found, rounded] = [await run(exact), await run(kept), await run(stored)];
    for (const name of outputs) {
      expect(distance(found.get(name)!, expected.get(name)!), name).toBeLessThan(1e-6);
      expect(distance(rounded.get(name)!, expected.get(name)!), name).toBeGreaterThan(1e-3);
    }
    const pieces = { ...kept, graph: halvesInPieces(kept.graph, 4 * WIDE * 8) };
    const inPieces = await run(pieces);
    for (const name of outputs)
      expect(distance(inPieces.get(name)!, expected.get(name)!), name).toBeLessThan(1e-6);
    // A weight of 16 bits is not widened as a whole.
    const isSplit = pieces.graph !== kept.graph;
    expect(isSplit).toBe(form.dtype !== DType.float && form.alpha === 1);
  });

  it('read its rows for the channels that are in float32', async () => {
    const all = Array.from({ length: WIDE }, (__, channel) => channel);
    const exactly = withInt8Products(stored, weights, new Set(), new Map([['U.int8', all]]));
    const [expected, found] = [await run(exact), await run(exactly)];
    for (const name of ['h', 'z'])
      expect(distance(found.get(name)!, expected.get(name)!), name).toBeLessThan(1e-6);
    expect(distance(found.get('dx')!, expected.get('dx')!)).toBeGreaterThan(1e-3);
  });
});
