import { closeSync, openSync, readSync } from 'node:fs';
import { decodeImage, readImage } from './decode';
import { formatOf } from './format';
import type { RgbImage } from './image';

/**
 * Where an image is: in a file, encoded in memory under the name that errors call it, or decoded and already of the
 * size that the model reads.
 */
export type ImageSource = { path: string } | EncodedImage | { fitted: RgbImage };

export interface EncodedImage {
  bytes: Uint8Array;
  name: string;
}

/** @throws AuroraError 'data' as `readImage` and `decodeImage` */
export const openImage = (source: { path: string } | EncodedImage): Promise<RgbImage> =>
  'path' in source ? readImage(source.path) : decodeImage(source.bytes, source.name);

const SIGNATURE_BYTES = 16;

/** Why an image cannot be read, by its first bytes alone: a data set may have very many. Undefined if it seems whole. */
export function imageProblem(source: ImageSource): string | undefined {
  if ('fitted' in source) return undefined;
  if ('bytes' in source)
    return formatOf(source.bytes) === undefined ? `the image is not ${FORMATS}` : undefined;
  let start: Uint8Array;
  try {
    start = startOf(source.path);
  } catch (e) {
    const { code, message } = e as NodeJS.ErrnoException;
    return code === 'ENOENT'
      ? `the image ${source.path} does not exist`
      : `the image ${source.path} cannot be read: ${message}`;
  }
  return formatOf(start) === undefined ? `${source.path} is not ${FORMATS}` : undefined;
}

const FORMATS = 'a JPEG, PNG, WebP, GIF, TIFF or AVIF image';

function startOf(path: string): Uint8Array {
  const file = openSync(path, 'r');
  try {
    const start = new Uint8Array(SIGNATURE_BYTES);
    return start.subarray(0, readSync(file, start, 0, SIGNATURE_BYTES, 0));
  } finally {
    closeSync(file);
  }
}
