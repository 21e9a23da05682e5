import type { PlayImage } from '../../protocol/playground';
import type { RgbImage } from './image';
import type { Preprocessing } from './plan';
import { fit } from './preprocess';
import { requireResizable } from './resizable';
import { openImage, type ImageSource } from './source';

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
