import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';

export interface ZipEntry {
  name: string;
  /** Uncompressed bytes. */
  size: number;
  /** Unix permissions. */
  mode: number;
  bytes(): Buffer;
  text(): string;
}

/** The entries of a zip file from its central directory (no zip64, because packages are far below 4 GB). */
export function readZip(path: string): ZipEntry[] {
  const zip = readFileSync(path);
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  const entries: ZipEntry[] = [];
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const [name, extra, comment] = [28, 30, 32].map((field) => zip.readUInt16LE(at + field));
    const packed = zip.readUInt32LE(at + 20);
    const header = zip.readUInt32LE(at + 42);
    const method = zip.readUInt16LE(at + 10);
    const bytes = () => {
      const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
      const content = zip.subarray(start, start + packed);
      return method === 0 ? content : inflateRawSync(content);
    };
    entries.push({
      name: zip.toString('utf8', at + 46, at + 46 + name),
      size: zip.readUInt32LE(at + 24),
      mode: zip.readUInt16LE(at + 40),
      bytes,
      text: () => bytes().toString('utf8'),
    });
    at += 46 + name + extra + comment;
  }
  return entries;
}
