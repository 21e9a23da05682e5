import { replaceFile, writeAll } from '../../files/atomic';
import { nameTable } from '../../base/names';
import { elementCount, type FileRef } from '../../graph/model';
import { readFileRef } from '../../graph/values';
import { BYTES } from './weights';

/** A tensor to be written: bytes of another file, or those that a function makes when it is their turn. */
export interface WrittenTensor {
  name: string;
  /** The type as in the header: F32, BF16, I64 … */
  dtype: string;
  dims: number[];
  data: FileRef | (() => Uint8Array);
}

/** Bytes that are copied at a time. */
const PIECE = 2 ** 26;
/** Without it, transformers refuses a file. */
const METADATA = { format: 'pt' };

/**
 * Writes a safetensors file, whole, with one tensor in memory at a time. Its bytes are in the order of `tensors`.
 * https://huggingface.co/docs/safetensors (format section)
 */
export function writeTensors(path: string, tensors: readonly WrittenTensor[]): void {
  const header = nameTable<unknown>([['__metadata__', METADATA]]);
  let end = 0;
  for (const tensor of tensors)
    header[tensor.name] = {
      dtype: tensor.dtype,
      shape: tensor.dims,
      data_offsets: [end, (end += bytesOf(tensor))],
    };
  const json = Buffer.from(JSON.stringify(header));
  const length = Math.ceil(json.length / 8) * 8;
  const start = Buffer.alloc(8 + length, ' ');
  start.writeBigUInt64LE(BigInt(length));
  json.copy(start, 8);
  replaceFile(path, (file) => {
    writeAll(file, start);
    for (const { data } of tensors)
      if (typeof data === 'function') writeAll(file, data());
      else copy(file, data);
  });
}

/** The bytes of a tensor in a file. */
export const bytesOf = ({ data, dtype, dims }: WrittenTensor): number =>
  typeof data === 'function' ? BYTES.get(dtype)! * elementCount(dims) : data.length;

function copy(file: number, ref: FileRef): void {
  for (let done = 0; done < ref.length; done += PIECE)
    writeAll(
      file,
      readFileRef({ ...ref, offset: ref.offset + done, length: Math.min(PIECE, ref.length - done) }),
    );
}
