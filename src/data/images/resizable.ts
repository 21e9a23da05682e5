import { AuroraError } from '../../base/errors';
import { FREE_PIXELS } from './decode';
import type { Size } from './image';
import { resizedSize, type ResizeTo } from './plan';
import { nameOf, type ImageSource } from './source';

/**
 * @param to the size that the image gets; nothing, if it keeps its size
 * @throws AuroraError 'data' for a narrow image that would have far more pixels, once its shorter side is that of the model
 */
export function requireResizable(source: ImageSource, image: Size, to: ResizeTo | undefined): void {
  if (!to) return;
  const { width, height } = resizedSize(image, to);
  const most = Math.max(FREE_PIXELS, image.width * image.height);
  if (width * height <= most) return;
  throw new AuroraError(
    'data',
    `${nameOf(source)} has ${image.width} × ${image.height} pixels: resized for the model, it would have ${width} × ${height}, more than the ${most} that an image may have.`,
    'Crop it, or remove its row.',
  );
}
