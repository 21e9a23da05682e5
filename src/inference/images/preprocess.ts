import { AuroraError } from '../../base/errors';
import { DType } from '../../graph/dtype';
import type { HostTensor } from '../../engine/stepper';
import type { ImageShape, PlayImage } from '../../protocol/playground';

/** The conversion of pixels to the input of an image model. */
export interface Preprocessing extends ImageShape {
  /** 1 (gray) or 3. */
  channels: number;
  /** Factor on the pixel values from 0 to 255. */
  rescale: number;
  /** By channel, after the factor. */
  mean: number[];
  std: number[];
}

/** Greyscale as in ITU-R BT.601, which Pillow also uses. */
const GRAY = [0.299, 0.587, 0.114];

/** An image of the model's size as its input: [1, channels, height, width]. */
export function imageTensor(image: PlayImage, p: Preprocessing): HostTensor {
  const { width, height, channels } = p;
  const rgba = Buffer.from(image.rgba, 'base64');
  const pixels = width * height;
  if (image.width !== width || image.height !== height || rgba.length !== 4 * pixels)
    throw new AuroraError(
      'data',
      `The image is ${image.width} × ${image.height} and has ${rgba.length} bytes; the model reads ${width} × ${height}, four bytes a pixel.`,
      'Scale the image to that size first.',
    );
  const data = new Float32Array(channels * pixels);
  for (let i = 0; i < pixels; i++)
    for (let c = 0; c < channels; c++) {
      const value =
        channels === 1 ? GRAY.reduce((sum, part, k) => sum + part * rgba[4 * i + k], 0) : rgba[4 * i + c];
      data[c * pixels + i] = (value * p.rescale - p.mean[c]) / p.std[c];
    }
  return { dtype: DType.float, dims: [1, channels, height, width], data };
}
