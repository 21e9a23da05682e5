import { THUMBNAIL } from '../../protocol/predictions';
import { loadSharp } from './sharp';
import { openImage, type ImageSource } from './source';

/** The longer side, in pixels: twice what a page shows, for screens of high density. */
const SIDE = 96;

/**
 * A small picture as a data URI, of one or two kilobytes; undefined if the image cannot be read any more.
 */
export async function thumbnailOf(source: ImageSource): Promise<string | undefined> {
  try {
    const { width, height, data } = 'fitted' in source ? source.fitted : await openImage(source);
    const sharp = await loadSharp();
    const small = await sharp(data, { raw: { width, height, channels: 3 } })
      .resize(SIDE, SIDE, { fit: 'inside', withoutEnlargement: true })
      .webp({ quality: 70 })
      .toBuffer();
    return `${THUMBNAIL}${small.toString('base64')}`;
  } catch {
    return undefined;
  }
}
