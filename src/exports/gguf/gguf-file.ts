import { replaceFile, writeAll } from '../../files/atomic';
import { elementCount } from '../../graph/model';
import { ENCODINGS, type TensorType } from './encodings';

/** A value in the metadata of a GGUF file. Arrays hold values of one type. */
export type MetadataValue =
  | { type: 'uint32' | 'int32' | 'float32'; value: number }
  | { type: 'bool'; value: boolean }
  | { type: 'string'; value: string }
  | { type: 'strings'; value: readonly string[] }
  | { type: 'int32s' | 'float32s'; value: readonly number[] };

export type Metadata = ReadonlyMap<string, MetadataValue>;

export const uint32 = (value: number): MetadataValue => ({ type: 'uint32', value });
export const float32 = (value: number): MetadataValue => ({ type: 'float32', value });
export const bool = (value: boolean): MetadataValue => ({ type: 'bool', value });
export const string = (value: string): MetadataValue => ({ type: 'string', value });

/** A tensor to be written. */
export interface GgufTensor {
  name: string;
  /** In PyTorch's order, (out, in): the file has them in reverse. */
  dims: readonly number[];
  type: TensorType;
  /** Makes its bytes, in order, when it is their turn. */
  data: () => Iterable<Uint8Array>;
}

export const MAGIC = 'GGUF';
export const VERSION = 3;
/** The default of general.alignment: tensors begin at multiples of it. */
export const ALIGNMENT = 32;

/** The numbers of the types of values (gguf_metadata_value_type). */
export const TYPE_CODES = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const;

export const aligned = (offset: number): number => Math.ceil(offset / ALIGNMENT) * ALIGNMENT;

/** The bytes of a tensor's values; its rows are whole blocks. */
export const bytesOf = (dims: readonly number[], type: TensorType): number =>
  (elementCount([...dims]) / ENCODINGS[type].block) * ENCODINGS[type].bytes;

/**
 * Writes a GGUF file (version 3, little-endian), whole, with one piece of a tensor in memory at a time: header, metadata,
 * the names, shapes, types and offsets of the tensors, then their data.
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 *
 * @throws AuroraError 'disk' if the disk is full
 */
export function writeGguf(path: string, metadata: Metadata, tensors: readonly GgufTensor[]): void {
  const header = headerOf(metadata, tensors);
  replaceFile(path, (file) => {
    writeAll(file, header);
    let at = header.length;
    for (const { name, dims, type, data } of tensors) {
      const start = aligned(at);
      writeAll(file, new Uint8Array(start - at));
      at = start;
      for (const piece of data()) {
        writeAll(file, piece);
        at += piece.byteLength;
      }
      const length = bytesOf(dims, type);
      if (at - start !== length) throw new Error(`${name} has ${at - start} bytes instead of ${length}.`);
    }
    // llama.cpp expects the last tensor padded, too.
    writeAll(file, new Uint8Array(aligned(at) - at));
  });
}

/** All before the tensors' data, which begin aligned. */
function headerOf(metadata: Metadata, tensors: readonly GgufTensor[]): Uint8Array {
  const out = new Bytes();
  out.raw(Buffer.from(MAGIC));
  out.uint32(VERSION);
  out.uint64(tensors.length);
  out.uint64(metadata.size);
  for (const [key, value] of metadata) {
    out.string(key);
    out.value(value);
  }
  let offset = 0;
  for (const { name, dims, type } of tensors) {
    out.string(name);
    out.uint32(dims.length);
    for (const size of [...dims].reverse()) out.uint64(size);
    out.uint32(ENCODINGS[type].code);
    out.uint64(offset);
    offset = aligned(offset + bytesOf(dims, type));
  }
  const bytes = out.all();
  return Buffer.concat([bytes, new Uint8Array(aligned(bytes.length) - bytes.length)]);
}

/** Values in little-endian order. */
class Bytes {
  private readonly parts: Uint8Array[] = [];

  all = (): Uint8Array => Buffer.concat(this.parts);

  raw(bytes: Uint8Array): void {
    this.parts.push(bytes);
  }

  uint32(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    this.raw(bytes);
  }

  uint64(value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    this.raw(bytes);
  }

  string(text: string): void {
    const bytes = Buffer.from(text, 'utf8');
    this.uint64(bytes.length);
    this.raw(bytes);
  }

  value(value: MetadataValue): void {
    switch (value.type) {
      case 'uint32':
        this.uint32(TYPE_CODES.uint32);
        return this.uint32(value.value);
      case 'int32':
        this.uint32(TYPE_CODES.int32);
        return this.raw(new Uint8Array(Int32Array.of(value.value).buffer));
      case 'float32':
        this.uint32(TYPE_CODES.float32);
        return this.raw(new Uint8Array(Float32Array.of(value.value).buffer));
      case 'bool':
        this.uint32(TYPE_CODES.bool);
        return this.raw(Uint8Array.of(value.value ? 1 : 0));
      case 'string':
        this.uint32(TYPE_CODES.string);
        return this.string(value.value);
      case 'strings':
        this.array(TYPE_CODES.string, value.value.length);
        for (const text of value.value) this.string(text);
        return;
      case 'int32s':
        this.array(TYPE_CODES.int32, value.value.length);
        return this.raw(new Uint8Array(Int32Array.from(value.value).buffer));
      case 'float32s':
        this.array(TYPE_CODES.float32, value.value.length);
        return this.raw(new Uint8Array(Float32Array.from(value.value).buffer));
    }
  }

  private array(code: number, length: number): void {
    this.uint32(TYPE_CODES.array);
    this.uint32(code);
    this.uint64(length);
  }
}
