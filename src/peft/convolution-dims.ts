import type { LinearLayer } from '../graph/layers/linear';

type Dims = readonly number[];

/**
 * The sizes of an adapter's tensor in PEFT's files: on a convolution of single pixels, PEFT's matrices are convolutions, too, and
 * DoRA's magnitudes have its axes.
 */
export function peftDims(
  { isConvolution }: Pick<LinearLayer, 'isConvolution'>,
  peftName: string,
  dims: Dims,
): number[] {
  if (isConvolution && /^lora_[AB]\.weight$/.test(peftName)) return [...dims, 1, 1];
  if (isConvolution && peftName === 'lora_magnitude_vector') return [1, ...dims, 1, 1];
  return [...dims];
}

/** True if a tensor in a file has the sizes of an adapter's, on a linear layer or on such a convolution. */
export const areDims = (found: Dims, peftName: string, wanted: Dims): boolean =>
  [undefined, true as const].some(
    (isConvolution) => peftDims({ isConvolution }, peftName, wanted).join() === found.join(),
  );
