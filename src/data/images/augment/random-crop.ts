import type { Box } from '../crop';
import type { Size } from '../image';

export type Range = readonly [from: number, to: number];

/** The part of an image that may be taken. */
export interface RandomCrop {
  /** Its share of the area. */
  scale: Range;
  /** Its width by its height. */
  ratio: Range;
}

/** torchvision's RandomResizedCrop. */
export const RANDOM_CROP: RandomCrop = { scale: [0.08, 1], ratio: [3 / 4, 4 / 3] };

const ATTEMPTS = 10;

/** Numbers that `randomBox` may draw: from 0 to this, exclusively. */
export const CROP_DRAWS = 4 * ATTEMPTS;

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
export const between = ([from, to]: Range, part: number): number => from + (to - from) * part;
