import { THUMBNAIL } from '../../protocol/predictions';
import type { RgbImage } from './image';
import type { Preprocessing } from './plan';
import { fit } from './preprocess';
import { loadSharp } from './sharp';
import { openImage, type ImageSource } from './source';

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
