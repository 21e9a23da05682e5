import { DType, type DTypeCode } from './dtype';

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
