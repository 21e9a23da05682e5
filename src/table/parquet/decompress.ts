import { brotliDecompressSync, gunzipSync, inflateRawSync } from 'node:zlib';
import { decompress as unpackZstd } from 'fzstd';
import type { CompressionCodec } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

/** A page without its compression, which has as many bytes as its header states, however many its content asks for. */
type Decompress = (input: Uint8Array, length: number) => Uint8Array;

/** By the names of Parquet's codecs. Each throws an Error if a page is not as long as stated. */
export const DECOMPRESS: Partial<Record<CompressionCodec, Decompress>> = {
  UNCOMPRESSED: (input) => input,
  SNAPPY(input, length) {
    // The library writes as many bytes as the content states, into memory that it has made for `length`.
    if (statedBySnappy(input) !== length) throw new Error('a page is not as long as stated');
    return compressors.SNAPPY!(input, length);
  },
  GZIP: (input, length) =>
    (input[0] === 0x1f && input[1] === 0x8b ? gunzipSync : inflateRawSync)(input, limited(length)),
  BROTLI: (input, length) => brotliDecompressSync(input, limited(length)),
  ZSTD(input, length) {
    const stated = statedByZstd(input);
    if (stated !== undefined && stated !== length) throw new Error('a page is not as long as stated');
    return unpackZstd(input, new Uint8Array(length));
  },
  LZ4: (input, length) => compressors.LZ4!(input, length),
  LZ4_RAW: (input, length) => compressors.LZ4_RAW!(input, length),
};

/** Node refuses a limit of 0. */
const limited = (length: number) => ({ maxOutputLength: Math.max(1, length) });

/** A number of variable length at the beginning. */
function statedBySnappy(input: Uint8Array): number | undefined {
  let value = 0;
  for (let i = 0; i < Math.min(5, input.length); i++) {
    value += (input[i]! & 127) * 2 ** (7 * i);
    if (input[i]! < 128) return value;
  }
  return undefined;
}

/** The content's size in the header of a Zstandard frame (RFC 8878, 3.1.1.1); undefined if it is not stated. */
function statedByZstd(input: Uint8Array): number | undefined {
  const view = Buffer.from(input.buffer, input.byteOffset, input.length);
  if (input.length < 6 || view.readUInt32LE(0) !== 0xfd2fb528) throw new Error('not a Zstandard frame');
  const flags = input[4]!;
  const single = (flags >> 5) & 1;
  const at = 6 - single + [0, 1, 2, 4][flags & 3]!;
  const bytes = [single, 2, 4, 8][flags >> 6]!;
  if (bytes === 0) return undefined;
  if (at + bytes > input.length) throw new Error('a Zstandard frame is cut off');
  if (bytes === 8) return Number(view.readBigUInt64LE(at));
  return view.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0);
}
