import { uniform, Stream } from '../../base/random';
import { crop, tensor } from '../../data/images/preprocess';
import { resizedSize } from '../../data/images/image';
import { type Resample, resize } from '../../data/images/resize';
import { requireResizable } from '../../data/images/job';
import { openImage, type ImageSource } from '../../data/images/source';
import { roundHalfEven } from '../../tasks/diffusion/timesteps';

/** The place of an image's crop: its middle, or a place that is drawn for this number of it. */
export type CropPlace = 'center' | { seed: number; image: number };

export interface PreparedImage {
  /** [3, resolution, resolution], from −1 to 1. */
  pixels: Float32Array;
  /** SDXL's micro-conditioning: original height and width, top and left of the crop, height and width of the target. */
  timeIds: number[];
}

/** 2·x − 1 of x from 0 to 1, in the steps of ToTensor and Normalize([0.5], [0.5]). */
const PIXELS = { rescale: 1 / 255, normalize: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } } as const;

/**
 * An image as diffusers' train_dreambooth.py prepares it: turned as its EXIF data say, the shorter side resized to
 * `resolution`, and cropped to a square.
 *
 * @throws AuroraError 'data' if it cannot be read, or is too narrow
 */
export async function prepareImage(
  source: ImageSource,
  resolution: number,
  place: CropPlace,
  resample: Resample,
): Promise<PreparedImage> {
  const image = 'fitted' in source ? source.fitted : await openImage(source);
  const to = { shortestEdge: resolution };
  requireResizable(source, image, to);
  const resized = resize(image, resizedSize(image, to), resample);
  const top = cropStart(resized.height - resolution, place, 0);
  const left = cropStart(resized.width - resolution, place, 1);
  const cropped = crop(resized, { top, left, width: resolution, height: resolution });
  return {
    pixels: tensor(cropped, PIXELS).data,
    timeIds: [image.height, image.width, top, left, resolution, resolution],
  };
}

/** The start of a crop as torchvision's CenterCrop rounds it, or anywhere. */
function cropStart(margin: number, place: CropPlace, side: number): number {
  if (place === 'center') return roundHalfEven(margin / 2);
  return Math.floor(uniform(place.seed, Stream.augmentation, 0, place.image, side) * (margin + 1));
}
