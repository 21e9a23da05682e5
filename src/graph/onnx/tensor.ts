import { byteSize, DType } from '../dtype';
import { fourBitBytes, isFourBit } from '../number-formats';
import { elementCount, type Tensor } from '../model';
import { decodeStringPair, readMessage, repeated, safeInt } from './wire';

/** The place of an external tensor's bytes according to the model; the loader resolves and checks it. */
export interface ExternalData {
  location: string;
  offset: number;
  length: number | undefined;
}

/** Set by the decoder on tensors whose data lies in another file, until the loader has resolved it. */
export const externalOf = new WeakMap<Tensor, ExternalData>();

/**
 * A TensorProto whose values come as little-endian bytes, regardless of the original field. The result shares memory
 * with `bytes` where possible.
 */
export function decodeTensor(bytes: Uint8Array): Tensor {
  const dims: (number | bigint)[] = [];
  const floats: number[] = [];
  const int32s: number[] = [];
  const int64s: (number | bigint)[] = [];
  const doubles: number[] = [];
  const uint64s: (number | bigint)[] = [];
  const strings: Uint8Array[] = [];
  const external = new Map<string, string>();
  let raw: Uint8Array | undefined;
  let location = 0;
  const tensor: Tensor = { name: '', dtype: 0, dims: [], data: new Uint8Array() };
  tensor.unknown = readMessage(bytes, {
    1: repeated(dims, (r) => safeInt(r.int64())),
    2: (r) => (tensor.dtype = r.int32()),
    4: repeated(floats, (r) => r.float()),
    5: repeated(int32s, (r) => r.int32()),
    6: (r) => strings.push(r.bytes()),
    7: repeated(int64s, (r) => safeInt(r.int64())),
    8: (r) => (tensor.name = r.string()),
    9: (r) => (raw = r.bytes()),
    10: repeated(doubles, (r) => r.double()),
    11: repeated(uint64s, (r) => safeInt(r.uint64())),
    13: (r) => external.set(...decodeStringPair(r.bytes())),
    14: (r) => (location = r.int32()),
  });
  tensor.dims = dims.map(Number);
  if (location === 1) {
    externalOf.set(tensor, {
      location: external.get('location') ?? '',
      offset: Number(external.get('offset') ?? 0),
      length: external.has('length') ? Number(external.get('length')) : undefined,
    });
  } else if (tensor.dtype === DType.string) tensor.strings = strings;
  else if (raw) tensor.data = raw;
  else if (floats.length) tensor.data = view(Float32Array.from(floats));
  else if (doubles.length) tensor.data = view(Float64Array.from(doubles));
  else if (int64s.length) tensor.data = view(BigInt64Array.from(int64s, BigInt));
  else if (uint64s.length) tensor.data = fromUint64(tensor.dtype, uint64s);
  else if (int32s.length) tensor.data = fromInt32(tensor.dtype, int32s);
  return tensor;
}

const view = (a: ArrayBufferView): Uint8Array => new Uint8Array(a.buffer, a.byteOffset, a.byteLength);

function fromUint64(dtype: number, values: (number | bigint)[]): Uint8Array {
  return dtype === DType.uint32
    ? view(Uint32Array.from(values, Number))
    : view(BigUint64Array.from(values, BigInt));
}

/** int32_data also carries every narrower type, one element per value (onnx.proto3, TensorProto). */
function fromInt32(dtype: number, values: number[]): Uint8Array {
  if (dtype === DType.int32) return view(Int32Array.from(values));
  // 8-bit floats and packed 4-bit integers, whose size is not in the table, also take one byte per value.
  return view(byteSize(dtype) === 2 ? Uint16Array.from(values) : Uint8Array.from(values));
}

/** Bytes the values take, or undefined for types without a fixed size. */
export function tensorBytes(t: Pick<Tensor, 'dtype' | 'dims'>): number | undefined {
  if (isFourBit(t.dtype)) return fourBitBytes(elementCount(t.dims));
  const size = byteSize(t.dtype);
  return size === undefined ? undefined : size * elementCount(t.dims);
}
