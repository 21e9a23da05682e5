import { augment, type Augmentation, type AugmentationKey } from './augment/augment';
import type { Preprocessing } from './plan';
import { preprocess, tensor } from './preprocess';
import { requireResizable } from './resizable';
import { openImage, type ImageSource } from './source';

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
