import { type Preprocessing, type RgbImage, type Size, sizeFor } from './image';
import { resize } from './resize';
import { resizeValues } from './resize-values';

/** A preprocessed image. */
export interface ImageTensor extends Size {
  /** [3, height, width]: red, then green, then blue. */
  data: Float32Array;
}

/**
 * An image as a model reads it, equal to the results of transformers' image processors (those on NumPy, or on PyTorch
 * where there are no others).
 */
export const preprocess = (image: RgbImage, plan: Preprocessing): ImageTensor =>
  plan.rescalesFirst ? rescaledFirst(image, plan) : tensor(fit(image, plan), plan);

/** The steps that move pixels: resizing and cropping. */
export function fit(image: RgbImage, plan: Preprocessing): RgbImage {
  const { resample, crop } = plan;
  const isResized = plan.resize !== undefined || plan.patches !== undefined;
  const resized = isResized ? resize(image, sizeFor(image, plan), resample) : image;
  return crop ? centerCrop(resized, crop) : resized;
}

/** As DINOv3ViTImageProcessor: rescaled, resized, cropped and normalized. */
function rescaledFirst(image: RgbImage, plan: Preprocessing): ImageTensor {
  const { resample, crop, normalize } = plan;
  const values = tensor(image, { rescale: plan.rescale });
  const to = sizeFor(image, plan);
  const { width, height } = crop ?? to;
  const pixels = width * height;
  const data = new Float32Array(3 * pixels);
  for (let c = 0; c < 3; c++) {
    const own = values.data.subarray(c * image.width * image.height, (c + 1) * image.width * image.height);
    const plane = { width: image.width, height: image.height, data: own };
    const resized = resample === 'nearest' ? plane : resizeValues(plane, to, resample);
    const cut = crop ? cropped(resized, centerBox(resized, crop), 1) : resized.data;
    data.set(normalize ? normalized(cut, normalize.mean[c], normalize.std[c]) : cut, c * pixels);
  }
  return { width, height, data };
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
  return normalized(values, normalize.mean[channel], normalize.std[channel]);
}

function normalized(values: Float32Array, ...by: [mean: number, std: number]): Float32Array {
  const [mean, std] = by.map(Math.fround);
  return values.map((v) => Math.fround(v - mean) / std);
}

/**
 * The patches of an image one after the other, (rows, columns, side, side, 3), as convert_image_to_patches in
 * transformers' image_processing_siglip2.py.
 */
export function inPatches({ width, height, data }: ImageTensor, side: number): Float32Array {
  const pixels = width * height;
  const out = new Float32Array(data.length);
  let o = 0;
  for (let top = 0; top < height; top += side)
    for (let left = 0; left < width; left += side)
      for (let y = top; y < top + side; y++)
        for (let x = left; x < left + side; x++)
          for (let c = 0; c < 3; c++) out[o++] = data[c * pixels + y * width + x];
  return out;
}

/** A part of an image. */
export interface Box extends Size {
  left: number;
  top: number;
}

/** The part of an image in a box, and black where the box is outside. */
export const crop = (image: RgbImage, box: Box): RgbImage => ({
  width: box.width,
  height: box.height,
  data: cropped(image, box, 3),
});

/** @param depth values of a pixel */
function cropped<T extends Uint8ClampedArray | Float32Array>(
  image: Size & { data: T },
  { left, top, width, height }: Box,
  depth: number,
): T {
  const data = new (image.data.constructor as new (length: number) => T)(depth * width * height);
  const [from, to] = [Math.max(0, left), Math.min(image.width, left + width)];
  const end = Math.min(image.height, top + height);
  if (from < to)
    for (let y = Math.max(0, top); y < end; y++) {
      const row = image.data.subarray(depth * (y * image.width + from), depth * (y * image.width + to));
      data.set(row, depth * ((y - top) * width + from - left));
    }
  return data;
}

/**
 * Crops like transformers' center_crop: if the margins differ, the first is the smaller one, or the larger one of
 * black.
 */
export const centerCrop = (image: RgbImage, size: Size): RgbImage => crop(image, centerBox(image, size));

const centerBox = (image: Size, { width, height }: Size): Box => ({
  left: Math.floor((image.width - width) / 2),
  top: Math.floor((image.height - height) / 2),
  width,
  height,
});
