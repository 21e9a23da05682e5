import { replaceFile, writeAll } from '../../files/atomic';
import { DType } from '../dtype';
import type { WeightOperand } from '../layers/weight-operands';
import { elementCount, type Tensor } from '../model';
import { floatValues, tensorOf } from '../values';
import type { FrozenProduct } from './frozen-products';
import type { OriginalWeight } from './original-weights';

/** Aligned for every vector unit that may read a weight in place. */
const ALIGNMENT = 64;

/** The second factor of a product (in, out) in int8: `before` · `values` · `scales`. */
export interface Int8Weight {
  values: Tensor;
  /** True if `values` is (out, in), and is transposed at run time. */
  transposed?: boolean;
  /** One for each column; omitted: 1. */
  scales?: Tensor;
  /** One for each row, which the first factor's columns are multiplied with before they are rounded; omitted: 1. */
  before?: Tensor;
  /** The weight before it was rounded, which products in float32 read; omitted: the one that the graph reads anyway. */
  original?: OriginalWeight;
}

/**
 * A weight that is stored in int8, as a product reads it. The backward product reads it transposed, and its scales are those of the
 * rows then.
 *
 * @param turned a transposed copy, if there is one
 * @param original the weight before it was rounded, if it is there
 */
export function storedWeight(
  { operand, stored }: FrozenProduct,
  turned?: Tensor,
  original?: OriginalWeight,
): Int8Weight {
  const { values, scales } = stored!;
  const also = original && { original };
  if (!operand.transposed) return { values, scales, ...also };
  return turned
    ? { values: turned, before: scales, ...also }
    : { values, transposed: true, before: scales, ...also };
}

/** A weight is stored twice: as the forward pass multiplies with it, and transposed for the backward pass. */
export const weightKey = ({ layer, operand }: FrozenProduct): string =>
  `${layer}${operand.transposed ? '.transposed' : ''}.int8`;

/**
 * Writes the weights of products in int8 into one file, each column with its own scale. One weight at a time is in
 * memory in float32.
 *
 * @param largest magnitude of an integer: 127, or less where larger ones overflow
 * @returns by `weightKey`
 * @throws AuroraError 'disk' if the disk is full
 */
export function writeInt8Weights(
  products: Iterable<FrozenProduct>,
  path: string,
  largest: number,
): Map<string, Int8Weight> {
  const written = new Map<string, Int8Weight>();
  replaceFile(path, (fd) => {
    let offset = 0;
    for (const product of products) {
      const name = weightKey(product);
      if (written.has(name)) continue;
      const { values, scales, dims } = quantized(product.operand, largest);
      writeAll(fd, new Uint8Array(values.buffer), offset);
      const data = { path, offset, length: values.length };
      written.set(name, {
        values: { name, dtype: DType.int8, dims, data },
        scales: tensorOf(`${name}.scales`, DType.float, [scales.length], scales),
      });
      offset = Math.ceil((offset + values.length) / ALIGNMENT) * ALIGNMENT;
    }
  });
  return written;
}

/** Calls back with each value of a weight, and which input and output of the layer it connects. */
export function eachWeight(
  { tensor, dims, part, transposed, values: computed }: WeightOperand,
  each: (input: number, output: number, value: number) => void,
): void {
  const stored = computed?.() ?? floatValues(tensor);
  const [rows, columns, ...sides] = dims;
  if (sides.length > 0) return eachOfKernel(stored, dims, transposed, each);
  for (let r = 0; r < rows; r++)
    for (let c = 0, at = r * tensor.dims[1] + (part?.from ?? 0); c < columns; c++, at++)
      if (transposed) each(c, r, stored[at]);
      else each(r, c, stored[at]);
}

/** Outputs of a convolution whose numbers are written beside each other. */
const TILE = 64;

/**
 * The inputs of a convolution are the channels at each position of its kernel, from the first position on; in the transposed one, from
 * the last. In an order in which few cache lines are written at a time.
 */
function eachOfKernel(
  stored: Float32Array,
  [to, from, high, wide]: readonly number[],
  transposed: boolean,
  each: (input: number, output: number, value: number) => void,
): void {
  const positions = high * wide;
  const at = (o: number, i: number, k: number) => stored[(o * from + i) * positions + k];
  if (transposed) {
    for (let o = 0; o < to; o++)
      for (let k = 0; k < positions; k++)
        for (let i = 0; i < from; i++) each((positions - 1 - k) * to + o, i, at(o, i, k));
    return;
  }
  for (let first = 0; first < to; first += TILE)
    for (let i = 0; i < from; i++)
      for (let k = 0; k < positions; k++)
        for (let o = first; o < Math.min(to, first + TILE); o++) each(k * from + i, o, at(o, i, k));
}

/** The sizes of a weight as the second factor of a product: (in, out). */
export function factorSizes({ dims, transposed }: WeightOperand): [inputs: number, outputs: number] {
  const [rows, columns, ...sides] = dims;
  const [inputs, outputs] = sides.length > 0 === transposed ? [rows, columns] : [columns, rows];
  return [inputs * elementCount(sides), outputs];
}

function quantized(operand: WeightOperand, largest: number) {
  const [inputs, outputs] = factorSizes(operand);
  const weight = new Float32Array(inputs * outputs);
  const scales = new Float32Array(outputs);
  eachWeight(operand, (i, o, w) => {
    weight[i * outputs + o] = w;
    scales[o] = Math.max(scales[o], Math.abs(w));
  });
  // A column of zeros has any scale.
  scales.forEach((size, o) => (scales[o] = size === 0 ? 1 : size / largest));
  const values = new Int8Array(weight.length);
  for (let i = 0, at = 0; i < inputs; i++)
    for (let o = 0; o < outputs; o++, at++) values[at] = Math.round(weight[at] / scales[o]);
  return { values, scales, dims: [inputs, outputs] };
}
