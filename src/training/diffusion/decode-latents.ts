import type { RgbImage } from '../../data/images/image';
import { DType } from '../../graph/dtype';
import { roundHalfEven } from '../../tasks/diffusion/timesteps';
import { type Component, openComponent } from './component';

/** The input of the VAE's decoder, with Optimum's name, as is the name of its output. */
const LATENTS = 'latent_sample';
const PIXELS = 'sample';

/** The scale of latents between the autoencoder and the U-Net: z = (latents − shift) · scaling. */
export interface LatentScale {
  scalingFactor: number;
  shiftFactor: number;
}

/**
 * The picture of latents as a sampler leaves them, as diffusers' pipelines decode and denormalize it. The decoder is in
 * memory only during the call.
 *
 * @param latents [c, h, w], in the scale of the U-Net
 * @param options the folder for the decoder's graph during the call, and threads, 0 for one per core
 * @throws AuroraError 'model' where the decoder cannot run
 */
export async function decodeLatents(
  decoder: Component,
  latents: ArrayLike<number>,
  shape: readonly [channels: number, height: number, width: number],
  { scalingFactor, shiftFactor }: LatentScale,
  options: { folder: string; threads: number },
): Promise<RgbImage> {
  const session = await openComponent(decoder.load(), decoder.path, [PIXELS], options);
  try {
    const data = Float32Array.from(latents, (x) => x / scalingFactor + shiftFactor);
    const out = await session.run({ [LATENTS]: { dtype: DType.float, dims: [1, ...shape], data } });
    const { dims, data: values } = out[PIXELS]!;
    return toImage(values as Float32Array, dims[3]!, dims[2]!);
  } finally {
    await session.close();
  }
}

/** @param values [3, height, width], from −1 to 1; values beyond are cut off */
export function toImage(values: ArrayLike<number>, width: number, height: number): RgbImage {
  const pixels = width * height;
  const data = new Uint8ClampedArray(3 * pixels);
  for (let c = 0; c < 3; c++)
    for (let i = 0; i < pixels; i++) {
      const x = Math.min(Math.max(values[c * pixels + i]! / 2 + 0.5, 0), 1);
      data[3 * i + c] = roundHalfEven(255 * x);
    }
  return { width, height, data };
}
