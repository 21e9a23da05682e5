import type { RgbImage, Size } from './image';

/** A part of an image. */
export interface Box extends Size {
  left: number;
  top: number;
}

/** The part of an image in a box, and black where the box is outside. */
export function crop(image: RgbImage, { left, top, width, height }: Box): RgbImage {
  const data = new Uint8ClampedArray(3 * width * height);
  const [from, to] = [Math.max(0, left), Math.min(image.width, left + width)];
  const end = Math.min(image.height, top + height);
  if (from < to)
    for (let y = Math.max(0, top); y < end; y++) {
      const row = image.data.subarray(3 * (y * image.width + from), 3 * (y * image.width + to));
      data.set(row, 3 * ((y - top) * width + from - left));
    }
  return { width, height, data };
}

/**
 * Crops like transformers' center_crop: if the margins differ, the first is the smaller one, or the larger one of
 * black.
 */
export const centerCrop = (image: RgbImage, { width, height }: Size): RgbImage =>
  crop(image, {
    left: Math.floor((image.width - width) / 2),
    top: Math.floor((image.height - height) / 2),
    width,
    height,
  });
