import { closeSync, fstatSync, readSync } from 'node:fs';
import { AuroraError } from '../../base/errors';
import { openInput } from '../../files/inputs/open';
import { isHeaderEntry } from '../../graph/file/safetensors';
import type { FileRef } from '../../graph/model';
import { requireRegular } from './regular-file';

/** A tensor of a safetensors file, with its bytes left there. */
export interface StoredTensor {
  name: string;
  /** The type as in the header: F32, BF16, I64 … */
  dtype: string;
  dims: number[];
  data: FileRef;
}

/** Below the format's own limit of 100 MB, which would take a gigabyte to parse: ten thousand tensors need one or two. */
const MOST_BYTES = 16_000_000;

/**
 * The tensors of a safetensors file, by name, from its header alone: a little-endian 64-bit length, then so many bytes of
 * JSON. Each tensor's bytes must lie in the file.
 * https://huggingface.co/docs/safetensors (format section)
 *
 * @throws AuroraError 'model', or 'truncated' if the file ends too early
 */
export function readHeader(path: string): Map<string, StoredTensor> {
  const fail = (why: string) =>
    new AuroraError('model', `${path} is not a valid safetensors file: ${why}.`, 'Download it again.');
  requireRegular(path);
  const file = openInput(path, 'model-data');
  try {
    const { size } = fstatSync(file);
    if (size < 8) throw fail(`it has ${size} bytes`);
    const length = Number(readAt(file, 0, 8).readBigUInt64LE());
    if (length > MOST_BYTES) throw fail(`its header would have ${length} bytes`);
    if (8 + length > size)
      throw truncated(path, `its header ends at byte ${8 + length}, the file at ${size}`);
    const entries = parsed(readAt(file, 8, length));
    if (!entries) throw fail('its header is not a JSON object');
    const tensors = new Map<string, StoredTensor>();
    for (const [name, entry] of Object.entries(entries)) {
      if (name === '__metadata__') continue;
      if (!isHeaderEntry(entry)) throw fail(`the header's entry for ${name} is malformed`);
      const [from, to] = entry.data_offsets;
      const start = 8 + length;
      if (start + to > size)
        throw truncated(path, `the weight ${name} ends at byte ${start + to}, the file at ${size}`);
      const data = { path, offset: start + from, length: to - from };
      tensors.set(name, { name, dtype: entry.dtype, dims: entry.shape, data });
    }
    return tensors;
  } finally {
    closeSync(file);
  }
}

const truncated = (path: string, why: string): AuroraError =>
  new AuroraError('truncated', `${path} is truncated: ${why}.`, 'Download it again.');

function readAt(file: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length;) {
    const read = readSync(file, bytes, done, length - done, at + done);
    if (read === 0) break;
    done += read;
  }
  return bytes;
}

function parsed(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // The caller reports it.
  }
  return undefined;
}
