import { centerCrop } from './crop';
import type { RgbImage, Size } from './image';
import { resizedSize, type Preprocessing } from './plan';
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
