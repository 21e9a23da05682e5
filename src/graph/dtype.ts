/** ONNX TensorProto.DataType codes (onnx.proto3). */
export const DType = {
  float: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  double: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
  float8e4m3fn: 17,
  float8e4m3fnuz: 18,
  float8e5m2: 19,
  float8e5m2fnuz: 20,
  uint4: 21,
  int4: 22,
  float4e2m1: 23,
  float8e8m0: 24,
} as const;

export type DTypeCode = number;

const BYTES: Record<number, number> = {
  1: 4,
  2: 1,
  3: 1,
  4: 2,
  5: 2,
  6: 4,
  7: 8,
  9: 1,
  10: 2,
  11: 8,
  12: 4,
  13: 8,
  16: 2,
  17: 1,
  18: 1,
  19: 1,
  20: 1,
};

/** Bytes per element; undefined for strings and sub-byte types, which have no fixed whole-byte size. */
export const byteSize = (dtype: DTypeCode): number | undefined => BYTES[dtype];

/** Only these carry gradients. */
export const isFloat = (dtype: DTypeCode): boolean =>
  dtype === DType.float || dtype === DType.double || dtype === DType.float16 || dtype === DType.bfloat16;

export const dtypeName = (dtype: DTypeCode): string =>
  Object.entries(DType).find(([, code]) => code === dtype)?.[0] ?? `type ${dtype}`;
