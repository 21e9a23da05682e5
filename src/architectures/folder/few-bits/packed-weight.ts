import { AuroraError } from '../../../base/errors';
import { DType } from '../../../graph/dtype';
import { elementCount, type FileRef, type Tensor } from '../../../graph/model';
import { fromBfloat16, fromHalf } from '../../../graph/number-formats';
import { readFileRef } from '../../../graph/values';
import type { StoredTensor } from '../weight-files';

/** The form in which the graph reads a weight of few bits. */
export type PackedForm =
  /** MatMulNBits: (out, in) in blocks of a row. Of stacked weights, the rows of all. */
  | { kind: 'nbits'; bits: 4 | 8; blockSize: number }
  /** MatMulBnb4: indices into a table. */
  | { kind: 'bnb4'; type: 'nf4' | 'fp4'; blockSize: number }
  /** DequantizeLinear of int8 (out, in), with a scale for each row. */
  | { kind: 'int8' };

/** A tensor of the graph that is made of a packed weight. */
export interface PackedPart {
  dtype: number;
  dims: number[];
  /** The bytes as they are stored, or a function that makes them: one weight is in memory at a time. */
  data: FileRef | (() => Iterable<Uint8Array>);
}

/** A weight of few bits as it is published: several tensors of a file that stand for one. */
export interface PackedWeight {
  /** The layout and its settings: another one would make other bytes of the same tensors. */
  layout: string;
  /** All its tensors in the files. */
  stored: readonly StoredTensor[];
  form: PackedForm;
  values: PackedPart;
  scales: PackedPart;
  zeros?: PackedPart;
  /** The place in the module of each feature, if blocks are not of neighbours. */
  order?: PackedPart;
}

/** The smallest block that ONNX Runtime takes. */
export const LEAST_BLOCK = 16;

/** The largest power of 2 that divides all these, up to 256: ONNX Runtime has kernels for blocks of these sizes. */
export function commonBlock(...sizes: readonly number[]): number {
  let block = 1;
  while (block < 256 && sizes.every((size) => size % (2 * block) === 0)) block *= 2;
  return block;
}

/** The values of a small tensor of floats: scales. */
export function floatsOf({ name, dtype, data }: StoredTensor): Float32Array {
  const bytes = readFileRef(data);
  if (dtype === 'F32') return new Float32Array(bytes.buffer);
  const decode = dtype === 'F16' ? fromHalf : dtype === 'BF16' ? fromBfloat16 : undefined;
  if (!decode) throw unreadable(data.path, `${name} has the type ${dtype}, not that of scales`);
  return Float32Array.from(new Uint16Array(bytes.buffer), decode);
}

/** Whole numbers of 32 bits, which hold several of few bits. */
export const wordsOf = ({ data }: StoredTensor): Uint32Array => new Uint32Array(readFileRef(data).buffer);

export const bytesOf = (values: Float32Array | Int8Array | BigInt64Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** @throws AuroraError 'model' if a tensor has another type or shape than its layout */
export function requireForm(tensor: StoredTensor, types: readonly string[], dims: readonly number[]): void {
  const { name, dtype, data } = tensor;
  if (types.includes(dtype) && tensor.dims.join() === dims.join()) return;
  throw unreadable(
    data.path,
    `${name} is ${dtype} of the shape [${tensor.dims.join(', ')}], but its layout is ${types.join(' or ')} of [${dims.join(', ')}]`,
  );
}

export const unreadable = (path: string, what: string): AuroraError =>
  new AuroraError(
    'model',
    `${path}: ${what}.`,
    'Download config.json and the weights again, from the same revision.',
  );

/** A packed weight as tensors of a graph, with names after the weight's. */
export interface PackedTensors {
  form: PackedForm;
  values: Tensor;
  scales: Tensor;
  zeros?: Tensor;
  order?: Tensor;
}

/** Quantizers' endings, which are not part of a module's path. */
export const endingOf = (form: PackedForm): string =>
  form.kind === 'nbits' ? `_Q${form.bits}` : form.kind === 'bnb4' ? '_Bnb4' : '_quantized';

/** @param name of the weight in the base model */
export function tensorsOf(packed: PackedWeight, name: string): PackedTensors {
  const made = (part: PackedPart, ending: string): Tensor => ({
    name: name + ending,
    dtype: part.dtype,
    dims: part.dims,
    data: typeof part.data === 'function' ? unmade(part) : part.data,
  });
  const { form, values, scales, zeros, order } = packed;
  return {
    form,
    values: made(values, endingOf(form)),
    scales: made(scales, '_scales'),
    ...(zeros && { zeros: made(zeros, '_zero_points') }),
    // A constant, not a parameter. Until it is read, features keep their places.
    ...(order && {
      order: {
        ...made(order, ''),
        name: `/constants/${name}_order`,
        data: bytesOf(BigInt64Array.from({ length: order.dims[0]! }, (_, i) => BigInt(i))),
      },
    }),
  };
}

/** The size of a tensor that is not made yet. */
const unmade = ({ dtype, dims }: PackedPart): FileRef => ({
  path: '',
  offset: 0,
  length: elementCount(dims) * (dtype === DType.float ? 4 : dtype === DType.int64 ? 8 : 1),
});
