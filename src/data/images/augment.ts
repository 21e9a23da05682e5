import { AuroraError } from '../../base/errors';
import { permutation, Stream, uniform } from '../../base/random';
import type { AugmentationSpec } from '../../experiment/experiment';
import { outputSize, type Preprocessing, type RgbImage, type Size } from './image';
import { type Box, crop, fit, type ImageTensor, tensor } from './preprocess';
import { resize } from './resize';

export type Range = readonly [from: number, to: number];

/** The part of an image that may be taken. */
interface RandomCrop {
  /** Its share of the area. */
  scale: Range;
  /** Its width by its height. */
  ratio: Range;
}

/** torchvision's RandomResizedCrop. */
export const RANDOM_CROP: RandomCrop = { scale: [0.08, 1], ratio: [3 / 4, 4 / 3] };

const ATTEMPTS = 10;

/** Numbers that `randomBox` may draw: from 0 to this, exclusively. */
const CROP_DRAWS = 4 * ATTEMPTS;

/**
 * A part of an image as torchvision's RandomResizedCrop.get_params chooses it: area and aspect ratio (on a logarithmic
 * scale) at random, at a random place; after ten that do not fit, the largest one in the center whose ratio is allowed.
 *
 * @param draw a number in [0, 1), the same for the same argument
 */
export function randomBox(image: Size, { scale, ratio }: RandomCrop, draw: (which: number) => number): Box {
  for (let first = 0; first < CROP_DRAWS; first += 4) {
    const area = image.width * image.height * between(scale, draw(first));
    const aspect = Math.exp(between([Math.log(ratio[0]), Math.log(ratio[1])], draw(first + 1)));
    const width = Math.round(Math.sqrt(area * aspect));
    const height = Math.round(Math.sqrt(area / aspect));
    if (width < 1 || width > image.width || height < 1 || height > image.height) continue;
    const top = Math.floor(draw(first + 2) * (image.height - height + 1));
    const left = Math.floor(draw(first + 3) * (image.width - width + 1));
    return { left, top, width, height };
  }
  return largestBox(image, ratio);
}

function largestBox(image: Size, [narrowest, widest]: Range): Box {
  const aspect = image.width / image.height;
  const width = aspect > widest ? Math.round(image.height * widest) : image.width;
  const height = aspect < narrowest ? Math.round(image.width / narrowest) : image.height;
  const left = Math.floor((image.width - width) / 2);
  const top = Math.floor((image.height - height) / 2);
  return { left, top, width, height };
}

/** The number at a part of a range. */
const between = ([from, to]: Range, part: number): number => from + (to - from) * part;

/** Random changes of training images; an omitted one is not made. */
export interface Augmentation {
  /** A random part of the image instead of all of it or its center. */
  crop?: RandomCrop;
  /** The probability that the image is mirrored. */
  flip?: number;
  /** The largest distance of each factor from 1, as in torchvision's ColorJitter. */
  jitter?: { brightness?: number; contrast?: number; saturation?: number };
}

/** The key of the changes: equal keys give the same bits. */
export interface AugmentationKey {
  seed: number;
  epoch: number;
  example: number;
}

/** The last key of each draw; those of a crop come before them. */
const Draw = {
  flip: CROP_DRAWS,
  brightness: CROP_DRAWS + 1,
  contrast: CROP_DRAWS + 2,
  saturation: CROP_DRAWS + 3,
  order: CROP_DRAWS + 4,
} as const;

/**
 * A changed image as a model reads it: as `preprocess`, except that a random crop takes the place of resizing and
 * cropping, with the same filter and to the same size. Crop, flip and colors follow each other as in torchvision's
 * reference training; the order of the color changes is random.
 *
 * @throws AuroraError 'model' for a crop if the preprocessing does not state its size
 */
export function augment(
  image: RgbImage,
  plan: Preprocessing,
  augmentation: Augmentation,
  { seed, epoch, example }: AugmentationKey,
): ImageTensor {
  const draw = (which: number) => uniform(seed, Stream.augmentation, epoch, example, which);
  const { crop: part, flip = 0, jitter = {} } = augmentation;
  let made = part ? cropped(image, plan, part, draw) : fit(image, plan);
  if (draw(Draw.flip) < flip) made = mirrored(made);
  const changes = [
    { change: brightness, by: jitter.brightness ?? 0, which: Draw.brightness },
    { change: contrast, by: jitter.contrast ?? 0, which: Draw.contrast },
    { change: saturation, by: jitter.saturation ?? 0, which: Draw.saturation },
  ];
  for (const i of permutation(changes.length, seed, Stream.augmentation, epoch, example, Draw.order)) {
    const { change, by, which } = changes[i];
    if (by > 0) made = change(made, between([Math.max(0, 1 - by), 1 + by], draw(which)));
  }
  return tensor(made, plan);
}

function cropped(
  image: RgbImage,
  plan: Preprocessing,
  part: RandomCrop,
  draw: (which: number) => number,
): RgbImage {
  const box = randomBox(image, part, draw);
  if (plan.patches) return fit(crop(image, box), plan);
  const size = outputSize(plan);
  if (!size)
    throw new AuroraError(
      'model',
      'Images cannot be cropped at random: the size of a preprocessed image depends on its aspect ratio.',
      'Set "do_center_crop" and "crop_size" in preprocessor_config.json to the size that the model reads.',
    );
  return resize(crop(image, box), size, plan.resample);
}

/** The image mirrored from left to right. */
export function mirrored({ width, height, data }: RgbImage): RgbImage {
  const out = new Uint8ClampedArray(data.length);
  let o = 0;
  for (let y = 0; y < height; y++)
    for (let i = 3 * (y * width + width - 1); i >= 3 * y * width; i -= 3) {
      out[o++] = data[i];
      out[o++] = data[i + 1];
      out[o++] = data[i + 2];
    }
  return { width, height, data: out };
}

/** The random changes that an experiment asks for; undefined if there are none. */
export function augmentationOf(spec: AugmentationSpec | undefined): Augmentation | undefined {
  if (!spec) return undefined;
  const { crop, flip, brightness, contrast, saturation } = spec;
  return {
    ...(crop && { crop: { ...RANDOM_CROP, ...(crop !== true && crop) } }),
    flip,
    jitter: { brightness, contrast, saturation },
  };
}

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
