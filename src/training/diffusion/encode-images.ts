import { createHash } from 'node:crypto';
import { Stream, uniform } from '../../base/random';
import { resizedSize } from '../../data/images/image';
import { requireResizable } from '../../data/images/job';
import { crop, tensor } from '../../data/images/preprocess';
import { type Resample, resize } from '../../data/images/resize';
import { type ImageSource, openImage } from '../../data/images/source';
import { hashFile } from '../../files/hash';
import { DType } from '../../graph/dtype';
import type { FloatTensor, SafetensorsFile } from '../../graph/file/safetensors';
import { roundHalfEven } from '../../tasks/diffusion/timesteps';
import { type Component, openComponent } from './component';
import { type EncodeOptions, isStopped, type Kept, keyOf, modelHashes, type ToEncode } from './encoded';

/** The input of the VAE's encoder, with Optimum's name, as is the name of its output. */
const SAMPLE = 'sample';
const PARAMETERS = 'latent_parameters';

/** The results for an image after encoding. */
export interface EncodedImage {
  /** latent_parameters [2c, h, w]. */
  parameters: FloatTensor;
  timeIds: number[];
}

/**
 * Encodes the images that are not kept yet.
 *
 * @returns the key of each image, or undefined if it was stopped
 * @throws AuroraError 'data' for an image that cannot be read, and where the encoder cannot run
 */
export async function encodeImages(
  encoder: Component,
  { images, resolution, centerCrop, seed, resample }: ToEncode & { resample: 'bilinear' | 'lanczos' },
  kept: Kept,
  options: EncodeOptions,
  done: () => void,
): Promise<string[] | undefined> {
  const model = encoder.load();
  const files = await modelHashes(model, encoder.path);
  const keys: string[] = [];
  const places: CropPlace[] = [];
  for (const source of images) {
    const image = await contentOf(source);
    const place: CropPlace = centerCrop ? 'center' : { seed, image: numberOf(image) };
    places.push(place);
    keys.push(keyOf({ files, resolution, resample, place, image }));
  }
  const missing = [...new Map(keys.map((key, i) => [key, i]))].flatMap(([key, i]) =>
    readImage(kept, key) ? [] : [i],
  );
  for (let i = keys.length - missing.length; i > 0; i--) done();
  if (missing.length === 0) return keys;
  const session = await openComponent(model, encoder.path, [PARAMETERS], options);
  try {
    for (const i of missing) {
      if (await isStopped(options)) return undefined;
      const { pixels, timeIds } = await prepareImage(images[i]!, resolution, places[i]!, resample);
      const dims = [1, 3, resolution, resolution];
      const out = await session.run({ [SAMPLE]: { dtype: DType.float, dims, data: pixels } });
      const { dims: shape, data } = out[PARAMETERS]!;
      const tensor = { dims: shape.slice(1), data: data as Float32Array };
      kept.write(keys[i]!, new Map([[PARAMETERS, tensor]]), { timeIds: timeIds.join(' ') });
      done();
    }
  } finally {
    await session.close();
  }
  return keys;
}

/** @returns undefined if it is not kept */
export function readImage(kept: Kept, key: string): EncodedImage | undefined {
  const file: SafetensorsFile | undefined = kept.read(key);
  const parameters = file?.tensors.get(PARAMETERS);
  const timeIds = file?.metadata.timeIds?.split(' ').map(Number);
  return parameters && timeIds && { parameters, timeIds };
}

/** 32 bits that stand for an image: it is cropped at the same place in any set of images. */
const numberOf = (content: string): number => createHash('sha256').update(content).digest().readUInt32LE(0);

async function contentOf(source: ImageSource): Promise<string> {
  if ('path' in source) {
    // A missing file is an error of the data.
    const hashed = await hashFile(source.path).catch(() => undefined);
    if (hashed) return hashed.sha256;
  }
  const sha256 = (bytes: Uint8Array | Uint8ClampedArray) => createHash('sha256').update(bytes).digest('hex');
  if ('bytes' in source) return sha256(source.bytes);
  const { width, height, data } = 'fitted' in source ? source.fitted : await openImage(source);
  return `${width} × ${height} ${sha256(data)}`;
}

/** The place of an image's crop: its middle, or a place that is drawn for this number of it. */
type CropPlace = 'center' | { seed: number; image: number };

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
