import { closeSync, openSync, readSync } from 'node:fs';
import { DType, dtypeName } from './dtype';
import {
  isFourBit,
  packFourBit,
  unpackFourBit,
  fromBfloat16,
  fromHalf,
  halfValues,
  toBfloat16,
  toHalf,
} from './number-formats';
import { elementCount, isFileRef, type FileRef, type Tensor } from './model';
import { AuroraError } from '../base/errors';

/** The bytes behind a reference. */
export function readFileRef(ref: FileRef): Uint8Array {
  const fd = openRef(ref.path);
  try {
    const out = new Uint8Array(ref.length);
    for (let done = 0; done < ref.length;) {
      const n = readSync(fd, out, done, ref.length - done, ref.offset + done);
      if (n === 0)
        throw new AuroraError(
          'model',
          `${ref.path} ends before byte ${ref.offset + ref.length}, the end of one of its weights.`,
          'Start again with an intact model: the file has changed since it was opened.',
        );
      done += n;
    }
    return out;
  } finally {
    closeSync(fd);
  }
}

/** The file existed when the model was loaded. */
function openRef(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (e) {
    throw new AuroraError(
      'model',
      `The weights in ${path} can no longer be read: ${(e as Error).message}.`,
      "Put the file back where it was, or start again with the model's new path.",
      { cause: e },
    );
  }
}

export const readTensorBytes = (t: Tensor): Uint8Array => (isFileRef(t.data) ? readFileRef(t.data) : t.data);

const ARRAYS = {
  [DType.float]: Float32Array,
  [DType.double]: Float64Array,
  [DType.int32]: Int32Array,
  [DType.uint32]: Uint32Array,
  [DType.int64]: BigInt64Array,
  [DType.uint64]: BigUint64Array,
  [DType.int8]: Int8Array,
  [DType.uint8]: Uint8Array,
  [DType.bool]: Uint8Array,
  [DType.int16]: Int16Array,
  [DType.uint16]: Uint16Array,
  [DType.float16]: Uint16Array,
  [DType.bfloat16]: Uint16Array,
} as const;

export type NumberArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

/**
 * The values as a typed array of the tensor's own type (16-bit floats as their bits, four-bit integers as bytes). A
 * copy: aligned and safe to modify.
 */
export function tensorValues(t: Tensor): NumberArray {
  if (isFourBit(t.dtype)) return unpackFourBit(readTensorBytes(t), elementCount(t.dims), t.dtype);
  const Type = ARRAYS[t.dtype as keyof typeof ARRAYS];
  if (!Type)
    throw new AuroraError(
      'model',
      `The values of the tensor ${t.name} cannot be read: its type, ${dtypeName(t.dtype)}, is not supported.`,
    );
  const bytes = readTensorBytes(t);
  return new Type(new Uint8Array(bytes).buffer);
}

/** The values of a tensor of floats, in float32. A copy. */
export function floatValues(t: Tensor): Float32Array {
  const values = tensorValues(t);
  if (values instanceof Float32Array) return values;
  if (t.dtype === DType.bfloat16) return fromBits(values as Uint16Array);
  if (t.dtype !== DType.float16) return Float32Array.from(values as Float64Array);
  const decoded = halfValues();
  const halves = values as Uint16Array;
  const floats = new Float32Array(halves.length);
  // Twenty times as fast as Float32Array.from with a function; models have billions of weights.
  for (let i = 0; i < halves.length; i++) floats[i] = decoded[halves[i]];
  return floats;
}

/** bfloat16 is the upper half of a float32. */
function fromBits(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i] << 16;
  return new Float32Array(bits.buffer);
}

/** The values of an integer or float tensor as plain numbers; for the small constants that rules read. */
export function tensorNumbers(t: Tensor): number[] {
  const decode = t.dtype === DType.float16 ? fromHalf : t.dtype === DType.bfloat16 ? fromBfloat16 : undefined;
  return Array.from(tensorValues(t) as ArrayLike<number | bigint>, (v) =>
    decode ? decode(Number(v)) : Number(v),
  );
}

/** A tensor of plain numbers, rounded to its type. */
export function tensorOf(name: string, dtype: number, dims: number[], values: ArrayLike<number>): Tensor {
  const array = typedArray(dtype, values);
  return { name, dtype, dims, data: new Uint8Array(array.buffer) };
}

function typedArray(dtype: number, values: ArrayLike<number>): NumberArray {
  if (dtype === DType.int64 || dtype === DType.uint64)
    return BigInt64Array.from(Array.from(values), (v) => BigInt(v));
  if (isFourBit(dtype)) return packFourBit(values);
  if (dtype === DType.float16) return Uint16Array.from(values, toHalf);
  if (dtype === DType.bfloat16) return Uint16Array.from(values, toBfloat16);
  const Type = ARRAYS[dtype as keyof typeof ARRAYS] as typeof Float32Array;
  return Type.from(values);
}
