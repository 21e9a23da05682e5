import { AuroraError } from '../../base/errors';
import { augment, type Augmentation, type AugmentationKey } from './augment';
import { FREE_PIXELS } from './decode-image';
import { type Preprocessing, resizedSize, type ResizeTo, type Size } from './image';
import { type ImageTensor, inPatches, preprocess, tensor } from './preprocess';
import { type ImageSource, nameOf, openImage } from './source';

/** The description of an image from which any thread can make a model's input. */
export interface ImageJob {
  source: ImageSource;
  plan: Preprocessing;
  /** Random changes of a training image. */
  change?: { augmentation: Augmentation; key: AugmentationKey };
}

/** The values of a prepared image. */
export interface ImageValues {
  /** [3, height, width], or the patches of an image one after the other. */
  values: Float32Array;
  /** The number of patches. */
  grid?: readonly [rows: number, columns: number];
}

/** @throws AuroraError 'data' if the image cannot be read, or is too narrow */
export async function imageValues({ source, plan, change }: ImageJob): Promise<ImageValues> {
  if ('fitted' in source) return valuesOf(tensor(source.fitted, plan), plan);
  const image = await openImage(source);
  requireResizable(source, image, plan.resize);
  return valuesOf(
    change ? augment(image, plan, change.augmentation, change.key) : preprocess(image, plan),
    plan,
  );
}

function valuesOf(prepared: ImageTensor, { patches }: Preprocessing): ImageValues {
  if (!patches) return { values: prepared.data };
  const grid = [prepared.height / patches.side, prepared.width / patches.side] as const;
  return { values: inPatches(prepared, patches.side), grid };
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
