import type { Tensor as TfTensor, TypedArray } from '@tensorflow/tfjs-core';
import { DType, isFloat } from '../../graph/dtype';
import { fromBfloat16, fromHalf } from '../../graph/number-formats';
import { elementCount } from '../../graph/model';
import { tensorOf, tensorValues } from '../../graph/values';
import { AuroraError } from '../../base/errors';
import type { HostTensor } from '../stepper';
import type { OpContext, Tf, Value } from './op';

/** A host value of sizes, axes or indices; one axis by default. */
export const hostInts = (values: readonly number[], dims: number[] = [values.length]): Value => ({
  on: 'host',
  tensor: { dtype: DType.int64, dims, data: BigInt64Array.from(values, BigInt) },
});

/** The values as plain numbers, with float16 decoded. The end of an open slice, 2^63 − 1, becomes 2^63. */
export function hostNumbers({ dtype, data }: HostTensor): ArrayLike<number> {
  if (dtype === DType.float16) return Float32Array.from(data as Uint16Array, fromHalf);
  if (dtype === DType.bfloat16) return Float32Array.from(data as Uint16Array, fromBfloat16);
  return data instanceof BigInt64Array || data instanceof BigUint64Array
    ? Array.from(data as BigInt64Array, Number)
    : data;
}

/** Above this, the backend is better for an operator, regardless of where its inputs are. */
const HOST_ELEMENTS = 1 << 16;

/**
 * True if all given inputs are on the host and small: the operator is then computed there.
 * @param elements of its largest result; of its largest input by default
 */
export const allOnHost = (c: OpContext, elements = 0): boolean =>
  elements <= HOST_ELEMENTS &&
  c.inputs.every((v) => !v || (v.on === 'host' && elementCount(v.tensor.dims) <= HOST_ELEMENTS));

/** The element type that represents an ONNX type on a backend. */
export const tfType = (dtype: number): 'float32' | 'int32' | 'bool' =>
  isFloat(dtype) ? 'float32' : dtype === DType.bool ? 'bool' : 'int32';

/**
 * A host tensor on the backend.
 * @param name of it, for the error
 * @throws AuroraError 'operator' if an integer does not fit into TensorFlow.js's 32 bits
 */
export function upload(tf: Tf, t: HostTensor, name = 'An integer tensor'): TfTensor {
  const type = tfType(t.dtype);
  const numbers = hostNumbers(t);
  if (type === 'float32')
    return tf.tensor(numbers instanceof Float32Array ? numbers : Float32Array.from(numbers), t.dims, type);
  if (type === 'bool') return tf.tensor(Uint8Array.from(numbers), t.dims, type);
  for (let i = 0; i < numbers.length; i++)
    if (numbers[i] !== (numbers[i] | 0))
      throw new AuroraError(
        'operator',
        `${name} contains ${t.data[i]}, but TensorFlow.js supports only 32-bit integers.`,
        'Use the ONNX Runtime engine for this model.',
      );
  return tf.tensor(Int32Array.from(numbers), t.dims, type);
}

/** A backend's result, as the ONNX type it represents; float16 as the float32 it was there. */
export function fromDevice(dtype: number, dims: number[], data: TypedArray): HostTensor {
  const type = isFloat(dtype) ? DType.float : dtype;
  return { dtype: type, dims, data: tensorValues(tensorOf('', type, dims, data)) };
}
