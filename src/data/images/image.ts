import { type PatchBudget, patchedSize } from '../../base/patch-budget';
import type { Resample } from './resize';

/** An image in memory, as Pillow's mode "RGB". */
export interface RgbImage {
  width: number;
  height: number;
  /** Red, green and blue of each pixel, row by row from the top: 3 × width × height bytes. */
  data: Uint8ClampedArray;
}

/** In pixels. */
export interface Size {
  width: number;
  height: number;
}

/** The steps from an image to the input of a model. They follow each other in this order; an omitted one is skipped. */
export interface Preprocessing {
  resize?: ResizeTo;
  resample: Resample;
  /** In place of a size: whole patches in about the image's aspect ratio, which a model reads one by one. */
  patches?: PatchBudget;
  /** True if bytes are rescaled before the image is resized, so that no number is rounded to a byte again. */
  rescalesFirst?: boolean;
  /** Cut from the center; black where the image is smaller. */
  crop?: Size;
  /** Factor on the bytes. */
  rescale?: number;
  /** By channel, after the factor. */
  normalize?: { mean: Channels; std: Channels };
}

/** Red, green, blue. */
export type Channels = readonly [number, number, number];

/** A size regardless of the aspect ratio, or the length of the shortest edge, and a limit for the other. */
export type ResizeTo = Size | { shortestEdge: number; longestEdge?: number };

/**
 * The size that an image is resized to, rounded as in transformers' get_resize_output_image_size: downwards, so that the
 * aspect ratio is kept only up to a pixel.
 */
export function resizedSize({ width, height }: Size, to: ResizeTo): Size {
  if ('width' in to) return to;
  let short = to.shortestEdge;
  let long = Math.trunc((short * Math.max(width, height)) / Math.min(width, height));
  if (to.longestEdge !== undefined && long > to.longestEdge) {
    short = Math.trunc((to.longestEdge * short) / long);
    long = to.longestEdge;
  }
  return width <= height ? { width: short, height: long } : { width: long, height: short };
}

/** The size that an image is resized to; its own if it is not. */
export function sizeFor(image: Size, { resize, patches }: Pick<Preprocessing, 'resize' | 'patches'>): Size {
  if (patches) return patchedSize(image, patches);
  return resize ? resizedSize(image, resize) : image;
}

/** The size of every preprocessed image; undefined if it depends on the image. */
export function outputSize({ resize, crop }: Preprocessing): Size | undefined {
  if (crop) return crop;
  return resize && 'width' in resize ? resize : undefined;
}
