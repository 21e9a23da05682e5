import { type Preprocessing, resizedSize, type RgbImage, type Size } from './image';
import { resize } from './resize';

/** A preprocessed image. */
export interface ImageTensor extends Size {
  /** [3, height, width]: red, then green, then blue. */
  data: Float32Array;
}

/** An image as a model reads it, equal to the results of transformers' image processors (those on NumPy). */
export const preprocess = (image: RgbImage, plan: Preprocessing): ImageTensor =>
  tensor(fit(image, plan), plan);

/** The steps that move pixels: resizing and cropping. */
export function fit(image: RgbImage, { resize: to, resample, crop }: Preprocessing): RgbImage {
  const resized = to ? resize(image, resizedSize(image, to), resample) : image;
  return crop ? centerCrop(resized, crop) : resized;
}

/** The steps that turn bytes into numbers: rescaling and normalizing. */
export function tensor(
  { width, height, data: rgb }: RgbImage,
  plan: Pick<Preprocessing, 'rescale' | 'normalize'>,
): ImageTensor {
  const pixels = width * height;
  const data = new Float32Array(3 * pixels);
  for (let c = 0; c < 3; c++) {
    const values = valuesOf(c, plan);
    for (let i = 0; i < pixels; i++) data[c * pixels + i] = values[rgb[3 * i + c]];
  }
  return { width, height, data };
}

/** The value of each byte of a channel, rounded to single precision where NumPy does it. */
function valuesOf(
  channel: number,
  { rescale, normalize }: Pick<Preprocessing, 'rescale' | 'normalize'>,
): Float32Array {
  const values = Float32Array.from({ length: 256 }, (_, byte) => byte * (rescale ?? 1));
  if (!normalize) return values;
  const [mean, std] = [normalize.mean[channel], normalize.std[channel]].map(Math.fround);
  return values.map((v) => Math.fround(v - mean) / std);
}

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
