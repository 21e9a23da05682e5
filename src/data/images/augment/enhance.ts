import type { RgbImage } from '../image';

/**
 * Pillow's ImageEnhance, equal in every bit: an image blended with one that lacks a quality. A factor of 0 takes it away,
 * 1 changes nothing, and more exaggerates it.
 */

/** Blends with black. */
export const brightness = (image: RgbImage, factor: number): RgbImage => byTable(image, blends(0, factor));

/** Blends with the mean gray of the image. */
export const contrast = (image: RgbImage, factor: number): RgbImage =>
  byTable(image, blends(meanGray(image), factor));

/** Blends with the same image in gray; "Color" in Pillow. */
export function saturation(image: RgbImage, factor: number): RgbImage {
  const data = new Uint8ClampedArray(image.data.length);
  for (let i = 0; i < data.length; i += 3) {
    const gray = grayAt(image.data, i);
    for (let c = i; c < i + 3; c++) data[c] = blend(gray, image.data[c], factor);
  }
  return { ...image, data };
}

const byTable = (image: RgbImage, table: Uint8ClampedArray): RgbImage => ({
  ...image,
  data: image.data.map((v) => table[v]),
});

const blends = (other: number, factor: number): Uint8ClampedArray =>
  Uint8ClampedArray.from({ length: 256 }, (_, byte) => blend(other, byte, factor));

/** Blends `other` and `byte` in single precision, without rounding to the nearest. */
const blend = (other: number, byte: number, factor: number): number =>
  Math.trunc(Math.fround(other + Math.fround(Math.fround(factor) * (byte - other))));

function meanGray({ data }: RgbImage): number {
  let sum = 0;
  for (let i = 0; i < data.length; i += 3) sum += grayAt(data, i);
  return Math.trunc(sum / (data.length / 3) + 0.5);
}

/** ITU-R BT.601 in 16-bit fixed point, as Pillow's convert("L"). */
const grayAt = (rgb: Uint8ClampedArray, i: number): number =>
  (rgb[i] * 19595 + rgb[i + 1] * 38470 + rgb[i + 2] * 7471 + 0x8000) >> 16;
