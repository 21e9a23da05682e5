import { DType, type DTypeCode } from './dtype';

/** IEEE 754 binary16 and bfloat16, for which JavaScript has no typed arrays before Node 24. */
const scratch = new Float32Array(1);
const bits = new Uint32Array(scratch.buffer);

/** Rounds half to even: half an ulp of the truncated part decides. */
function shiftRoundEven(value: number, shift: number): number {
  const kept = value >>> shift;
  const rest = value - kept * 2 ** shift;
  const half = 2 ** (shift - 1);
  return rest > half || (rest === half && kept & 1) ? kept + 1 : kept;
}

/** The 16 bits of the nearest binary16 (through float32, as runtimes convert). */
export function toHalf(value: number): number {
  scratch[0] = value;
  const sign = (bits[0] >>> 16) & 0x8000;
  const magnitude = bits[0] & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // From 65,520 up, the nearest value is infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  const exponent = (magnitude >>> 23) - 112;
  if (exponent > 0) return sign | shiftRoundEven(magnitude - (112 << 23), 13);
  if (exponent < -10) return sign;
  return sign | shiftRoundEven((magnitude & 0x7fffff) | 0x800000, 14 - exponent);
}

export function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = (half & 0x3ff) / 1024;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? (1 + fraction) * 2 ** (exponent - 15) : fraction * 2 ** -14);
}

/** The 16 bits of the nearest bfloat16. */
export function toBfloat16(value: number): number {
  scratch[0] = value;
  return Number.isNaN(value) ? 0x7fc0 : shiftRoundEven(bits[0], 16);
}

export function fromBfloat16(half: number): number {
  bits[0] = half << 16;
  return scratch[0];
}

let decoded: Float32Array | undefined;

/** The values of all 65,536 binary16 numbers, indexed by their bits. */
export const halfValues = (): Float32Array =>
  (decoded ??= Float32Array.from({ length: 1 << 16 }, (_, half) => fromHalf(half)));

/** Two to a byte, the first in the low half; an odd last one leaves the high half zero (onnx.proto3, TensorProto). */
export const isFourBit = (dtype: DTypeCode): boolean => dtype === DType.uint4 || dtype === DType.int4;

/** Bytes that `count` four-bit integers take. */
export const fourBitBytes = (count: number): number => Math.ceil(count / 2);

/** Unpacks one element per value. */
export function unpackFourBit(bytes: Uint8Array, count: number, dtype: DTypeCode): Uint8Array | Int8Array {
  const values = dtype === DType.int4 ? new Int8Array(count) : new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const nibble = (bytes[i >> 1] >> (i & 1 ? 4 : 0)) & 15;
    values[i] = dtype === DType.int4 && nibble > 7 ? nibble - 16 : nibble;
  }
  return values;
}

export function packFourBit(values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(fourBitBytes(values.length));
  for (let i = 0; i < values.length; i++) bytes[i >> 1] |= (values[i] & 15) << (i & 1 ? 4 : 0);
  return bytes;
}
