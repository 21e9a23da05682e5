import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RgbImage } from '../src/data/images/image';

/** The expected.json that test/fixtures/images/make.py writes. */
export interface Pillow {
  pillow: string;
  decoded: ({ file: string; mode: string } & Pixels)[];
  resized: ({ from: string; filter: number } & Pixels)[];
  enhanced: ({ kind: 'Brightness' | 'Contrast' | 'Color'; factor: number } & Pixels)[];
  /** rgb.png with its shortest edge resized to `edge`, cropped to `size`, rescaled and normalized as for ImageNet. */
  preprocessed: { edge: number; size: number; filter: number; values: string }[];
}

interface Pixels {
  width: number;
  height: number;
  /** Base64, as `values`. */
  rgb: string;
}

export const readPillow = (folder: string): Pillow =>
  JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Pillow;

/** The largest difference of a channel from what Pillow gives, of 255; infinite for another size. */
export function apart(image: RgbImage, expected: Pixels): number {
  const rgb = Buffer.from(expected.rgb, 'base64');
  if (image.width !== expected.width || image.height !== expected.height) return Infinity;
  if (image.data.length !== rgb.length) return Infinity;
  return image.data.reduce((most, v, i) => Math.max(most, Math.abs(v - rgb[i])), 0);
}

/** As many single-precision numbers. */
export const floats = (base64: string): Float32Array => {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  return new Float32Array(bytes.buffer);
};
