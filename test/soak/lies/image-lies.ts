import { execFileSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import { readImage } from '../../../src/data/images/decode-image';
import type { Draw } from '../draw';
import type { Lies } from './lie';

const FILE = 'image.png';

const image =
  (name: string, change: (draw: Draw, bytes: Buffer) => void) =>
  (draw: Draw, folder: string): void => {
    const bytes = Buffer.from(readFileSync(resolve('test/fixtures/images', name)));
    change(draw, bytes);
    writeFileSync(join(folder, FILE), bytes);
  };

const SIDES = [0, 1, 4097, 16_384, 65_535, 100_000, 2 ** 31 - 1, 2 ** 32 - 1];
const SHORT = SIDES.map((side) => Math.min(side, 65_535));

/** The frame header of a JPEG. */
function frameOf(bytes: Buffer): number {
  for (let at = 2; at + 4 < bytes.length; at += 2 + bytes.readUInt16BE(at + 2))
    if ([0xc0, 0xc1, 0xc2].includes(bytes[at + 1]!)) return at;
  throw new Error('No frame header.');
}

export const imageLies: Lies = {
  name: 'image',
  readers: [(f) => readImage(join(f, FILE))],
  lies: {
    'PNG: size': image('rgb.png', (draw, bytes) => {
      bytes.writeUInt32BE(draw.pick(SIDES), 16);
      bytes.writeUInt32BE(draw.pick(SIDES), 20);
      if (draw.int(2) === 0) bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
    }),
    'PNG: depth and color': image('rgb.png', (draw, bytes) => {
      bytes[24] = draw.int(256);
      bytes[25] = draw.int(256);
      bytes[28] = draw.int(3);
      bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
    }),
    'PNG: length of a chunk': image('rgb.png', (draw, bytes) => {
      bytes.writeUInt32BE(draw.pick(SIDES), 33);
    }),
    'JPEG: size': image('95-0.jpg', (draw, bytes) => {
      const frame = frameOf(bytes);
      bytes.writeUInt16BE(draw.pick(SHORT), frame + 5);
      bytes.writeUInt16BE(draw.pick(SHORT), frame + 7);
    }),
    'JPEG: components': image('95-0.jpg', (draw, bytes) => {
      const frame = frameOf(bytes);
      bytes[frame + 9 + draw.int(6)] = draw.int(256);
    }),
    'JPEG: length of a segment': image('95-0.jpg', (draw, bytes) => {
      bytes.writeUInt16BE(draw.pick(SHORT), 4);
    }),
    'WebP: size': image('alpha.webp', (draw, bytes) => {
      for (let at = 20; at < 30; at++) if (draw.int(2) === 0) bytes[at] = draw.pick([0, 0xff, draw.int(256)]);
    }),
    'WebP: length': image('alpha.webp', (draw, bytes) => {
      bytes.writeUInt32LE(draw.pick(SIDES), draw.pick([4, 16]));
    }),
    'GIF: size': image('plain.gif', (draw, bytes) => {
      bytes.writeUInt16LE(draw.pick(SHORT), 6);
      bytes.writeUInt16LE(draw.pick(SHORT), 8);
    }),
    'GIF: its frame': image('plain.gif', (draw, bytes) => {
      const at = bytes.indexOf(0x2c, 13);
      bytes.writeUInt16LE(draw.pick(SHORT), at + 1 + 2 * draw.int(4));
    }),
    'TIFF: an entry': image('rgb.tif', (draw, bytes) => {
      const folder = bytes.readUInt32LE(4);
      const entry = folder + 2 + 12 * draw.int(bytes.readUInt16LE(folder));
      bytes.writeUInt32LE(draw.pick(SIDES), entry + draw.pick([4, 8]));
    }),
    'TIFF: a cycle of pages': image('rgb.tif', (_draw, bytes) => {
      const folder = bytes.readUInt32LE(4);
      bytes.writeUInt32LE(folder, folder + 2 + 12 * bytes.readUInt16LE(folder));
    }),
    'a pipe': (_draw, folder) => execFileSync('mkfifo', [join(folder, FILE)]),
    'a device': (_draw, folder) => symlinkSync('/dev/zero', join(folder, FILE)),
  },
};
