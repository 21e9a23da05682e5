import type { GraphBuilder } from '../builder';
import { DType } from '../dtype';
import { type Bnb4, partsOfRows, rowsTogether } from '../quantized/bnb4';
import type { Barrier } from './barrier';
import { type InRows, partName, partOf, type Rows, timesTransposed } from './row-pieces';

/** The weight of a MatMulBnb4 as rows that are widened when they are needed. */
export const bnb4Rows = (g: GraphBuilder, w: Bnb4, mayBeEmpty = false): InRows => ({
  mayBeEmpty,
  rows: w.outFeatures,
  width: w.inFeatures,
  step: rowsTogether(w),
  piece: (rows, after) => widenedRows(g, w, rows, after),
});

/** x (m, in) · Wᵀ, from the pieces that the backward pass reads. */
export const bnb4Product = (g: GraphBuilder, x: string, w: Bnb4, mayBeEmpty: boolean): string =>
  timesTransposed(g, x, bnb4Rows(g, w, mayBeEmpty));

/** True if a graph reads a weight as `widenedRows` does. */
export const isReadWidened = (
  { graph: { initializers } }: Pick<GraphBuilder, 'graph'>,
  { weight }: Bnb4,
): boolean => initializers.has(partName(weight, 0));

/**
 * Rows of the weight in float32. A table of the 256 bytes, with the two values of each, takes half as many indices as one
 * of the 16 values; it is read by Gather, since no standard operator reads such weights.
 *
 * @param after the tensor that comes first: without it, a runtime would widen all weights at once, or fold them into float32
 */
function widenedRows(g: GraphBuilder, w: Bnb4, { from, to }: Rows, after: Barrier): string {
  const { bytes, scales } = partsOfRows(w, from, to);
  const count = (to - from) * w.inFeatures;
  const blocks = Math.ceil(count / w.blockSize);
  const stored = partOf(g, w.weight, [Math.ceil(count / 2)], bytes, from);
  const factors = partOf(g, w.scales, [blocks, 1], scales, from);
  return dequantizedBnb4(g, w, after.pass(stored), factors, [to - from, w.inFeatures]);
}

/**
 * The values of bytes as a matrix.
 *
 * @param bytes uint8, two numbers each
 * @param scales (blocks, 1)
 * @param dims of the result
 */
export function dequantizedBnb4(
  g: GraphBuilder,
  { blockSize, table }: Pick<Bnb4, 'blockSize' | 'table'>,
  bytes: string,
  scales: string,
  dims: [number, number],
): string {
  const count = dims[0] * dims[1];
  const filled = Math.ceil(count / blockSize) * blockSize;
  const read = 2 * Math.ceil(count / 2);
  const pairs = Array.from({ length: 256 }, (_, byte) => [table[byte >> 4], table[byte & 15]]).flat();
  const codes = g.op('Cast', [bytes], { to: DType.int32 });
  let values = g.op('Gather', [g.constant(DType.float, [256, 2], pairs), codes]);
  if (filled > read)
    values = g.op('Pad', [g.op('Reshape', [values, g.ints([-1])]), g.ints([0, filled - read])]);
  const scaled = g.op('Mul', [g.op('Reshape', [values, g.ints([-1, blockSize])]), scales]);
  if (filled === count) return g.op('Reshape', [scaled, g.ints(dims)]);
  const flat = g.op('Reshape', [scaled, g.ints([-1])]);
  return g.op('Reshape', [g.op('Slice', [flat, g.ints([0]), g.ints([count])]), g.ints(dims)]);
}
