import { DType } from '../../../graph/dtype';
import { elementCount } from '../../../graph/model';
import type { HostTensor } from '../../../graph/tensor-infos';
import { type NumberArray, tensorOf, tensorValues } from '../../../graph/values';
import type { OpContext, Value } from '../op';
import { hostNumbers } from '../value';

export type HostValue = Extract<Value, { on: 'host' }>;

export const isHost = (v: Value | undefined): v is HostValue => v?.on === 'host';

/** A host input; only if the caller has checked its side. */
export const hostTensor = (c: OpContext, i: number): HostTensor => (c.inputs[i] as HostValue).tensor;

export const hostValue = (tensor: HostTensor): Value => ({ on: 'host', tensor });

/** Values as numbers; int64 beyond 2⁵³, which exporters write for "to the end", is rounded. */
export const numbersOf = (t: HostTensor): Float64Array => Float64Array.from(hostNumbers(t));

/** A host value of numbers rounded to their type: integers towards zero and clamped to its range, as in casts. */
export function fromNumbers(dtype: number, dims: number[], values: ArrayLike<number>): Value {
  return hostValue({ dtype, dims, data: encode(dtype, dims, values) });
}

const LARGEST = 2n ** 63n - 1n;

function encode(dtype: number, dims: number[], values: ArrayLike<number>): NumberArray {
  if (dtype === DType.bool) return Uint8Array.from(values, (v) => (v === 0 ? 0 : 1));
  if (dtype === DType.int64) {
    const out = new BigInt64Array(values.length);
    for (let i = 0; i < out.length; i++) out[i] = toInt64(values[i]);
    return out;
  }
  if (dtype === DType.float) return Float32Array.from(values);
  return tensorValues(tensorOf('', dtype, dims, values));
}

function toInt64(v: number): bigint {
  if (!Number.isFinite(v)) return v > 0 ? LARGEST : -LARGEST - 1n;
  const whole = BigInt(Math.trunc(v));
  return whole > LARGEST ? LARGEST : whole < -LARGEST - 1n ? -LARGEST - 1n : whole;
}

/** The elements at some positions of a tensor, in a new shape; a position of −1 gives 0. */
export function pick(t: HostTensor, dims: number[], places: ArrayLike<number>): Value {
  const Type = t.data.constructor as new (n: number) => NumberArray;
  const data = new Type(elementCount(dims));
  for (let i = 0; i < data.length; i++) if (places[i] >= 0) data[i] = t.data[places[i]] as never;
  return hostValue({ dtype: t.dtype, dims, data });
}
