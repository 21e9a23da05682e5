import { attrInt } from '../attributes';
import { DType } from '../dtype';
import type { Node, Tensor } from '../model';

/** A weight in int8, symmetric: `values` · `scales`, one number for each column (of `rowWeight`, for each row). */
export interface ColumnWeight {
  values: Tensor;
  scales: Tensor;
}

/** The weight (out, in) in int8 of a DequantizeLinear of constants that has one scale for each row, as bitsandbytes stores it. */
export function rowWeight(
  node: Node,
  constant: (name: string) => Tensor | undefined,
): ColumnWeight | undefined {
  const { opType, inputs } = node;
  if (opType !== 'DequantizeLinear' || inputs[2]) return undefined;
  const [values, scales] = [constant(inputs[0]), constant(inputs[1])];
  const isForm =
    values?.dtype === DType.int8 &&
    values.dims.length === 2 &&
    scales?.dtype === DType.float &&
    scales.dims.length === 1 &&
    scales.dims[0] === values.dims[0] &&
    attrInt(node, 'axis', 1) === 0 &&
    attrInt(node, 'block_size', 0) === 0;
  return isForm ? { values, scales } : undefined;
}

/** The largest magnitude of an integer. */
const LARGEST = 127;

/** The weight that a DequantizeLinear of constants reads, if it has this form. */
export function columnWeight(
  node: Node,
  constant: (name: string) => Tensor | undefined,
): ColumnWeight | undefined {
  const { opType, inputs } = node;
  if (opType !== 'DequantizeLinear' || inputs[2]) return undefined;
  const [values, scales] = [constant(inputs[0]), constant(inputs[1])];
  const isForm =
    values?.dtype === DType.int8 &&
    values.dims.length === 2 &&
    scales?.dtype === DType.float &&
    scales.dims.length === 1 &&
    scales.dims[0] === values.dims[1] &&
    attrInt(node, 'axis', 1) === 1 &&
    attrInt(node, 'block_size', 0) === 0;
  return isForm ? { values, scales } : undefined;
}

/** Rows of a weight in integers, each with its own scale. */
export interface IntegerRows {
  values: Int8Array;
  scales: Float32Array;
  /** Sums over all values: of the squared differences to the original, and of its squares. */
  error: number;
  norm: number;
}

/** @param rows (rows, width); one of zeros has any scale */
export function integerRows(rows: Float32Array, width: number): IntegerRows {
  const scales = new Float32Array(rows.length / width);
  const values = new Int8Array(rows.length);
  let [error, norm] = [0, 0];
  for (let row = 0; row < scales.length; row++) {
    const from = row * width;
    let size = 0;
    for (let i = from; i < from + width; i++) size = Math.max(size, Math.abs(rows[i]!));
    const scale = Math.fround(size === 0 ? 1 : size / LARGEST);
    scales[row] = scale;
    for (let i = from; i < from + width; i++) {
      const v = rows[i]!;
      const integer = Math.round(v / scale);
      values[i] = integer;
      error += (v - integer * scale) ** 2;
      norm += v * v;
    }
  }
  return { values, scales, error, norm };
}

/** Numbers of a row that are written beside each other. */
const TILE = 64;

/**
 * Writes a matrix (rows, columns) into a part of its transpose (columns, all), tile by tile: written along its rows, each number
 * would have a cache line to itself.
 *
 * @param from the first row's place in the transpose's columns
 */
export function transposeInto(
  target: Int8Array,
  { rows, columns, all, from = 0 }: { rows: number; columns: number; all: number; from?: number },
  source: Int8Array,
): void {
  for (let r0 = 0; r0 < rows; r0 += TILE)
    for (let c0 = 0; c0 < columns; c0 += TILE) {
      const [r1, c1] = [Math.min(rows, r0 + TILE), Math.min(columns, c0 + TILE)];
      for (let c = c0; c < c1; c++)
        for (let r = r0; r < r1; r++) target[c * all + from + r] = source[r * columns + c]!;
    }
}
