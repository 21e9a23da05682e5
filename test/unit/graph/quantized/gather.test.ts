import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openSession } from '../../../../src/engine/onnxruntime/session';
import { gradientPath } from '../../../../src/graph/autodiff/differentiate';
import { GraphBuilder } from '../../../../src/graph/builder';
import { DType } from '../../../../src/graph/dtype';
import { findLinearLayers } from '../../../../src/graph/layers/linear';
import { Declared } from '../../../../src/graph/declared';
import { fromHalf } from '../../../../src/graph/number-formats';
import type { HostTensor } from '../../../../src/graph/tensor-infos';
import { elementCount } from '../../../../src/graph/model';
import { encodeModel } from '../../../../src/graph/onnx/encode';
import { prepareModel } from '../../../../src/graph/prepare';
import { dequantized } from '../../../../src/graph/quantized/dequantize';
import { fixSizes } from '../../../../src/graph/sizes/sizes';
import { summarize } from '../../../../src/graph/summary';
import { tensorOf } from '../../../../src/graph/values';
import { emptyGraph, generator, modelOf, symmetric } from '../../autodiff/check';
import { runModel } from '../onnx-models';
import { check, fused, type Fed } from '../unfuse/kernel';

const [TOKENS, SIZE, OUT, BLOCK] = [12, 64, 5, 32];

it.each([
  ['float32', DType.float],
  ['float16', DType.float16],
])(
  'layers after a table of 4 bits (GatherBlockQuantized), with scales in %s, read its values',
  async (_, type) => {
    const random = generator(2);
    const graph = emptyGraph();
    const g = new GraphBuilder(graph, '');
    // Without zero points, a uint4 of 0 stands for 0.
    const codes = Array.from({ length: TOKENS * SIZE }, () => Math.floor(16 * random()));
    // Exact in 16 bits.
    const scales = Array.from({ length: (TOKENS * SIZE) / BLOCK }, () => Math.ceil(8 * random()) / 64);
    const weight = Array.from({ length: SIZE * OUT }, () => Math.round(8 * symmetric(random)) / 8);
    const rows = g.op(
      'GatherBlockQuantized',
      [
        g.constant(DType.uint4, [TOKENS, SIZE], codes),
        g.addInput('ids', DType.int64, [2]),
        g.constant(type, [TOKENS, SIZE / BLOCK], scales),
      ],
      { gather_axis: 0, quantize_axis: 1, block_size: BLOCK },
      { domain: 'com.microsoft', name: '/embed_tokens/Gather_Q4' },
    );
    const y = g.op('MatMul', [rows, g.constant(type, [SIZE, OUT], weight)], {}, { name: '/query/MatMul' });
    graph.outputs.push({ name: y, dtype: type, shape: [2, OUT] });
    const opsets = new Map([
      ['', 21],
      ['com.microsoft', 1],
    ]);
    const model = prepareModel({ ...modelOf(graph), opsets });
    const [layer] = findLinearLayers(model.graph);
    expect(layer.path).toBe('query');
    // The table is before every adapter, so no gradient reaches it.
    const { nodes } = gradientPath(model.graph.nodes, undefined, [y], [layer.calls[0].output]);
    expect(nodes.map((n) => n.opType)).not.toContain('GatherBlockQuantized');

    const session = await openSession(encodeModel(model));
    const ids = [7, 3];
    const found = await session.run({
      ids: { dtype: DType.int64, dims: [2], data: BigInt64Array.from(ids, BigInt) },
    });
    await session.dispose();
    const values = found[y].data as Float32Array;
    expect(found[y].dtype).toBe(DType.float);
    for (const [row, id] of ids.entries())
      for (let o = 0; o < OUT; o++) {
        let wanted = 0;
        for (let i = 0; i < SIZE; i++) {
          const scale = scales[((id * SIZE + i) / BLOCK) | 0];
          wanted += codes[id * SIZE + i] * scale * weight[i * OUT + o];
        }
        expect(values[row * OUT + o]).toBeCloseTo(wanted, 3);
      }
  },
);

interface Table {
  dims: number[];
  dtype: number;
  bits: number;
  gather: number;
  quantize: number;
  block: number;
  zeros: boolean;
  half: boolean;
  indices: number[];
  seed: number;
}

const size = (min: number, max: number) => fc.integer({ min, max });
const drawn = { block: fc.constantFrom(16, 32), zeros: fc.boolean(), half: fc.boolean(), seed: fc.nat(999) };
const indices = fc.array(size(1, 3), { maxLength: 2 });

/** In bytes, the last axis is quantized; blocks of bytes hold whole bytes of zero points. */
const inBytes: fc.Arbitrary<Table> = fc
  .record({
    ...drawn,
    bits: fc.constantFrom(2, 4, 8),
    rows: size(1, 5),
    more: fc.array(size(1, 3), { maxLength: 1 }),
    width: size(1, 20),
    indices,
  })
  .map(({ rows, more, width, ...t }) => ({
    ...t,
    dims: [rows, ...more, 8 * width],
    dtype: DType.uint8,
    gather: 0,
    quantize: 1 + more.length,
  }));
const inNibbles: fc.Arbitrary<Table> = fc
  .record({
    ...drawn,
    dtype: fc.constantFrom(DType.uint4, DType.int4),
    dims: fc.array(size(1, 40), { minLength: 2, maxLength: 3 }),
    axes: fc.tuple(fc.nat(2), fc.nat(1)),
    indices,
  })
  .map(({ axes: [first, after], ...t }) => {
    const rank = t.dims.length;
    const gather = first % rank;
    return { ...t, bits: 4, gather, quantize: (gather + 1 + (after % (rank - 1))) % rank };
  });

/** A number for each element, the same for the same seed. */
const draw = (dims: readonly number[], low: number, high: number, random: () => number): number[] =>
  Array.from({ length: elementCount(dims) }, () => low + Math.floor((high - low) * random()));

/** Several numbers in each byte, the first in its lowest bits; each row along the last axis begins with a byte. */
function bytesOf(codes: readonly number[], width: number, bits: number): number[] {
  const each = 8 / bits;
  return Array.from({ length: codes.length / width }, (_, row) =>
    codes.slice(row * width, (row + 1) * width),
  ).flatMap((row) =>
    Array.from({ length: Math.ceil(width / each) }, (_, at) =>
      row.slice(at * each, (at + 1) * each).reduce((byte, v, i) => byte | (v << (bits * i)), 0),
    ),
  );
}

const numbers = (t: HostTensor): number[] =>
  Array.from(t.data as ArrayLike<number>, (v) => (t.dtype === DType.float16 ? fromHalf(v) : v));

it('rows of any table of few bits are those of the dequantized table, in the type of its scales and in float32', () =>
  check(
    fc.oneof(inBytes, inNibbles),
    async ({ dims, dtype, bits, gather, quantize, block, zeros, half, indices: shape, seed }) => {
      const random = generator(seed);
      const packed = dtype === DType.uint8;
      const [low, high] = dtype === DType.int4 ? [-8, 8] : [0, 2 ** bits];
      const blocks = dims.map((d, i) => (i === quantize ? Math.ceil(d / block) : d));
      const codes = draw(dims, low, high, random);
      const points = draw(blocks, low, high, random);
      // Products are exact in 16 bits.
      const scales = draw(blocks, 1, 9, random).map((v) => v / 64);
      const ids = draw(shape, -dims[gather]!, dims[gather]!, random);
      const stored = (values: number[], of: number[]): Fed => ({
        dims: packed ? [...of.slice(0, -1), Math.ceil((of.at(-1)! * bits) / 8)] : of,
        values: packed ? bytesOf(values, of.at(-1)!, bits) : values,
        dtype,
        constant: true,
      });
      const type = half ? DType.float16 : DType.float;
      const { model, feeds } = fused({
        op: 'GatherBlockQuantized',
        inputs: {
          table: stored(codes, dims),
          ids: { dims: shape, values: ids, dtype: DType.int64 },
          scales: { dims: blocks, values: scales, dtype: type, constant: true },
          zeros: zeros ? stored(points, blocks) : undefined,
        },
        attributes: { gather_axis: gather, quantize_axis: quantize, block_size: block, bits },
      });
      const values = dequantized(
        tensorOf('', DType.int32, dims, codes),
        tensorOf('', DType.float, blocks, scales),
        tensorOf('', DType.int32, blocks, zeros ? points : points.map(() => (packed ? 2 ** (bits - 1) : 0))),
        quantize,
        block,
      );
      const inner = elementCount(dims.slice(gather + 1));
      const outer = elementCount(dims.slice(0, gather));
      const wanted = Array.from({ length: outer }, (_, o) =>
        ids.map((id) => {
          const at = (o * dims[gather]! + (id < 0 ? id + dims[gather]! : id)) * inner;
          return [...values.subarray(at, at + inner)];
        }),
      ).flat(2);
      const prepared = prepareModel(model);
      const [kernel, ours] = [(await runModel(model, feeds)).y!, (await runModel(prepared, feeds)).y!];
      expect([kernel.dtype, ours.dtype]).toEqual([type, DType.float]);
      expect(numbers(kernel)).toEqual(wanted);
      expect(numbers(ours)).toEqual(wanted);
      // Known before it runs.
      expect(fixSizes(prepared.graph, new Map([['ids', shape]])).infos.get('y')).toEqual({
        dtype: DType.float,
        shape: kernel.dims,
      });
      const declared = new Declared(prepared.graph);
      prepared.graph.nodes.forEach((n) => declared.follow(n));
      expect([declared.rank('y'), declared.dtype('y')]).toEqual([kernel.dims.length, DType.float]);
      expect(summarize(model).parameters).toBe(elementCount(dims));
    },
    60,
  ));
