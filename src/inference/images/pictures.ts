import { AuroraError } from '../../base/errors';
import type { PlayImage } from '../../protocol/playground';
import type { Question } from '../subject';

/** @throws AuroraError 'usage' if the question is a text */
export function requireImage({ image }: Question): PlayImage {
  if (image) return image;
  throw new AuroraError('usage', 'This model reads images, not texts.', 'Choose an image instead.');
}

/** An image for a session's warm-up run. */
export const black = ({ width, height }: { width: number; height: number }): PlayImage => ({
  width,
  height,
  rgba: Buffer.alloc(4 * width * height).toString('base64'),
});
