import type { AugmentationSpec } from '../../../experiment/experiment';
import type { Augmentation } from './augment';
import { RANDOM_CROP } from './random-crop';

/** The random changes that an experiment asks for; undefined if there are none. */
export function augmentationOf(spec: AugmentationSpec | undefined): Augmentation | undefined {
  if (!spec) return undefined;
  const { crop, flip, brightness, contrast, saturation } = spec;
  return {
    ...(crop && { crop: { ...RANDOM_CROP, ...(crop !== true && crop) } }),
    flip,
    jitter: { brightness, contrast, saturation },
  };
}
