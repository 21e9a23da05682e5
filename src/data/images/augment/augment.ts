import { AuroraError } from '../../../base/errors';
import { permutation, Stream, uniform } from '../../../base/random';
import { crop } from '../crop';
import { brightness, contrast, saturation } from './enhance';
import type { RgbImage } from '../image';
import { outputSize, type Preprocessing } from '../plan';
import { fit, tensor, type ImageTensor } from '../preprocess';
import { between, CROP_DRAWS, randomBox, type RandomCrop } from './random-crop';
import { resize } from '../resize';

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
  const size = outputSize(plan);
  if (!size)
    throw new AuroraError(
      'model',
      'Images cannot be cropped at random: the size of a preprocessed image depends on its aspect ratio.',
      'Set "do_center_crop" and "crop_size" in preprocessor_config.json to the size that the model reads.',
    );
  return resize(crop(image, randomBox(image, part, draw)), size, plan.resample);
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
