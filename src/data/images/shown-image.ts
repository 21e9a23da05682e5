import type { PlayImage } from '../../protocol/play-question';
import { THUMBNAIL } from '../../protocol/predictions';
import type { Preprocessing, RgbImage } from './image';
import { requireResizable } from './job';
import { fit } from './preprocess';
import { loadSharp } from './sharp';
import { type ImageSource, openImage } from './source';

/** An image resized and cropped as the model reads it, to be shown. @throws AuroraError 'data' if it cannot be read */
export async function fittedPixels(source: ImageSource, plan: Preprocessing): Promise<PlayImage> {
  const image = 'fitted' in source ? source.fitted : await fitted(source, plan);
  const { width, height, data } = image;
  const rgba = Buffer.alloc(4 * width * height, 255);
  for (let i = 0; i < width * height; i++) rgba.set(data.subarray(3 * i, 3 * i + 3), 4 * i);
  return { width, height, rgba: rgba.toString('base64') };
}

async function fitted(source: Exclude<ImageSource, { fitted: RgbImage }>, plan: Preprocessing) {
  const image = await openImage(source);
  requireResizable(source, image, plan.resize);
  return fit(image, plan);
}

/** The other way round; alpha is dropped, as in `decodeImage`. */
export function imageOf({ width, height, rgba }: PlayImage): RgbImage {
  const bytes = Buffer.from(rgba, 'base64');
  const data = new Uint8ClampedArray(3 * width * height);
  for (let i = 0; i < width * height; i++) data.set(bytes.subarray(4 * i, 4 * i + 3), 3 * i);
  return { width, height, data };
}

/** The longer side, in pixels: twice the size on a page, for screens of high density. */
const SIDE = 96;

/** A small picture as a data URI; undefined if the image cannot be read any more. */
export const thumbnailOf = (source: ImageSource): Promise<string | undefined> =>
  pictured(source, (image) => image, SIDE);

/** The pixels that a model reads, as a data URI; undefined if the image cannot be read any more. */
export const pictureOf = (source: ImageSource, plan: Preprocessing): Promise<string | undefined> =>
  pictured(source, (image) => fit(image, plan), Infinity);

async function pictured(
  source: ImageSource,
  change: (image: RgbImage) => RgbImage,
  side: number,
): Promise<string | undefined> {
  try {
    const { width, height, data } = 'fitted' in source ? source.fitted : change(await openImage(source));
    const sharp = await loadSharp();
    const image = sharp(data, { raw: { width, height, channels: 3 } });
    const small = Number.isFinite(side)
      ? image.resize(side, side, { fit: 'inside', withoutEnlargement: true })
      : image;
    return `${THUMBNAIL}${(await small.webp({ quality: 75 }).toBuffer()).toString('base64')}`;
  } catch {
    return undefined;
  }
}
