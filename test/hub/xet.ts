import type { StoredFile } from './repository';

/**
 * The answers of Xet's storage, in the form that XetBlob.ts of @huggingface/hub reads: a file is a list of chunks in a xorb,
 * each behind a header of eight bytes (https://huggingface.co/docs/xet/xorb). Here each file is one xorb, uncompressed.
 */
const CHUNK = 65_536;
const HEADER = 8;

/** The file's chunks, each with its header: version, compressed length, scheme, length, little-endian. */
export function xorb(bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) {
    const chunk = bytes.subarray(at, at + CHUNK);
    const header = Buffer.alloc(HEADER);
    header.writeUIntLE(chunk.length, 1, 3);
    header.writeUIntLE(chunk.length, 5, 3);
    pieces.push(header, chunk);
  }
  return Buffer.concat(pieces);
}

/** The chunks that contain a part of a file (https://huggingface.co/docs/xet/download-protocol, v2). */
export function reconstruction(file: StoredFile, range: string | undefined, storage: string): object {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
  const size = file.bytes.length;
  const start = Number(from ?? 0);
  const last = Math.min(size - 1, Number(to ?? size - 1));
  const chunks = { start: Math.floor(start / CHUNK), end: Math.floor(last / CHUNK) + 1 };
  const unpacked = Math.min(size, chunks.end * CHUNK) - chunks.start * CHUNK;
  const first = chunks.start * (CHUNK + HEADER);
  const bytes = unpacked + (chunks.end - chunks.start) * HEADER;
  return {
    offset_into_first_range: start - chunks.start * CHUNK,
    terms: [{ hash: file.xet, unpacked_length: unpacked, range: chunks }],
    xorbs: {
      [file.xet!]: [
        {
          url: `${storage}/xorbs/${file.xet}?X-Xet-Signature=secret-signature`,
          ranges: [{ chunks, bytes: { start: first, end: first + bytes - 1 } }],
        },
      ],
    },
  };
}
