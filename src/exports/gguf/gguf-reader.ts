import { closeSync, openSync, readSync } from 'node:fs';
import type { FileRef } from '../../graph/model';
import { ENCODINGS, type TensorType } from './encodings';
import { aligned, bytesOf, MAGIC, type MetadataValue, TYPE_CODES, VERSION } from './gguf-file';

/** A tensor of a GGUF file, with its bytes left there. */
export interface StoredGgufTensor {
  name: string;
  /** In PyTorch's order. */
  dims: number[];
  type: TensorType;
  data: FileRef;
}

export interface GgufFile {
  metadata: Map<string, MetadataValue>;
  tensors: Map<string, StoredGgufTensor>;
}

/** The metadata and the tensors of a file that `writeGguf` wrote. @throws Error for anything else */
export function readGguf(path: string): GgufFile {
  const file = openSync(path, 'r');
  try {
    const cursor = new Cursor(file);
    if (cursor.bytes(4).toString('latin1') !== MAGIC || cursor.uint32() !== VERSION)
      throw new Error(`${path} is not a GGUF file of version ${VERSION}.`);
    const [tensorCount, valueCount] = [cursor.uint64(), cursor.uint64()];
    const metadata = new Map<string, MetadataValue>();
    for (let i = 0; i < valueCount; i++) metadata.set(cursor.string(), cursor.value());
    const listed = Array.from({ length: tensorCount }, () => ({
      name: cursor.string(),
      dims: Array.from({ length: cursor.uint32() }, () => cursor.uint64()).reverse(),
      type: typeOf(cursor.uint32()),
      offset: cursor.uint64(),
    }));
    const start = aligned(cursor.at);
    const tensors = new Map(
      listed.map(({ name, dims, type, offset }) => {
        const data = { path, offset: start + offset, length: bytesOf(dims, type) };
        return [name, { name, dims, type, data }];
      }),
    );
    return { metadata, tensors };
  } finally {
    closeSync(file);
  }
}

function typeOf(code: number): TensorType {
  const found = (Object.keys(ENCODINGS) as TensorType[]).find((type) => ENCODINGS[type].code === code);
  if (found) return found;
  throw new Error(`The type ${code} of a tensor is not known.`);
}

/** Bytes that are read at a time. */
const PIECE = 2 ** 20;

/** Reads a file from its beginning. */
class Cursor {
  /** The place of the next byte. */
  at = 0;
  private piece = Buffer.alloc(0);
  private start = 0;

  constructor(private readonly file: number) {}

  bytes(count: number): Buffer {
    if (this.at + count > this.start + this.piece.length) {
      this.piece = Buffer.alloc(Math.max(count, PIECE));
      this.start = this.at;
      const read = readSync(this.file, this.piece, 0, this.piece.length, this.at);
      if (read < count) throw new Error('A GGUF file ends within its header.');
      this.piece = this.piece.subarray(0, read);
    }
    const from = this.at - this.start;
    this.at += count;
    return this.piece.subarray(from, from + count);
  }

  uint32 = (): number => this.bytes(4).readUInt32LE();
  uint64 = (): number => Number(this.bytes(8).readBigUInt64LE());
  string = (): string => this.bytes(this.uint64()).toString('utf8');

  value(): MetadataValue {
    const code = this.uint32();
    switch (code) {
      case TYPE_CODES.uint32:
        return { type: 'uint32', value: this.uint32() };
      case TYPE_CODES.int32:
        return { type: 'int32', value: this.bytes(4).readInt32LE() };
      case TYPE_CODES.float32:
        return { type: 'float32', value: this.bytes(4).readFloatLE() };
      case TYPE_CODES.bool:
        return { type: 'bool', value: this.bytes(1)[0] === 1 };
      case TYPE_CODES.string:
        return { type: 'string', value: this.string() };
      case TYPE_CODES.array:
        return this.array();
      default:
        throw new Error(`The type ${code} of a value is not known.`);
    }
  }

  private array(): MetadataValue {
    const code = this.uint32();
    const length = this.uint64();
    const all = <T>(read: () => T): T[] => Array.from({ length }, read);
    switch (code) {
      case TYPE_CODES.string:
        return { type: 'strings', value: all(this.string) };
      case TYPE_CODES.int32:
        return { type: 'int32s', value: all(() => this.bytes(4).readInt32LE()) };
      case TYPE_CODES.float32:
        return { type: 'float32s', value: all(() => this.bytes(4).readFloatLE()) };
      default:
        throw new Error(`The type ${code} of an array is not known.`);
    }
  }
}
