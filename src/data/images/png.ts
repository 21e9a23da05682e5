import type { RgbImage } from './image';
import { loadSharp } from './sharp';

/** An image as the bytes of a PNG file: the same bytes for the same pixels. */
export async function encodePng({ width, height, data }: RgbImage): Promise<Buffer> {
  const sharp = await loadSharp();
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}
