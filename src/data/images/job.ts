import { AuroraError } from '../../base/errors';
import { augment, type Augmentation, type AugmentationKey } from './augment';
import { FREE_PIXELS } from './decode-image';
import { type Preprocessing, resizedSize, type ResizeTo, type Size } from './image';
import { preprocess, tensor } from './preprocess';
import { type ImageSource, nameOf, openImage } from './source';

/** The description of an image from which any thread can make a model's input. */
export interface ImageJob {
  source: ImageSource;
  plan: Preprocessing;
  /** Random changes of a training image. */
  change?: { augmentation: Augmentation; key: AugmentationKey };
}

/** @returns [3, height, width]. @throws AuroraError 'data' if the image cannot be read, or is too narrow */
export async function imageValues({ source, plan, change }: ImageJob): Promise<Float32Array> {
  if ('fitted' in source) return tensor(source.fitted, plan).data;
  const image = await openImage(source);
  requireResizable(source, image, plan.resize);
  return (change ? augment(image, plan, change.augmentation, change.key) : preprocess(image, plan)).data;
}

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
