import { dirname, join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { inputExists } from '../../files/inputs/open';
import { MODEL_CONFIG } from '../../files/model-path';
import { readConfig } from '../folder/config';
import type { Pipeline } from './read';

/**
 * @throws AuroraError 'model' for a pipeline that needs more than a prompt: one that refines pictures, or whose U-Net reads
 *   more than noisy latents, as those that fill in masks do, or predicts a variance besides
 */
export function requireTextToImage(pipeline: Pipeline): void {
  const { folder, unet, vae, requiresAestheticsScore } = pipeline;
  if (requiresAestheticsScore)
    throw new AuroraError(
      'model',
      `${folder} refines pictures of another pipeline: it does not draw from a prompt.`,
      'Choose the base model of SDXL.',
    );
  const file = join(dirname(unet), MODEL_CONFIG);
  // An export may have none.
  if (!inputExists(file, 'model-data')) return;
  const config = readConfig(file);
  for (const key of ['in_channels', 'out_channels']) {
    const channels = config.count(key, 4);
    if (channels === vae.latentChannels) continue;
    throw new AuroraError(
      'model',
      `${file}: ${key} is ${channels}, but the latents of the autoencoder have ${vae.latentChannels}: the U-Net does not draw from a prompt alone.`,
      'Choose a pipeline for text to image, not one for inpainting, depth or upscaling.',
    );
  }
}
