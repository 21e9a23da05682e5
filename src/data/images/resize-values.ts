import type { Size } from './image';
import { type Filter, weightsOf } from './resize';

/** A channel of an image as numbers, row by row. */
export interface Plane extends Size {
  data: Float32Array;
}

/**
 * A channel of another size, as PyTorch's interpolate(antialias=True) makes it: rows first, then columns, with single
 * precision between them and nothing rounded to bytes.
 */
export function resizeValues(plane: Plane, { width, height }: Size, filter: Filter): Plane {
  const wide = width === plane.width ? plane : resizeRows(plane, filter, width);
  return height === wide.height ? wide : resizeColumns(wide, filter, height);
}

function resizeRows({ width, height, data }: Plane, filter: Filter, resized: number): Plane {
  const { first, count, weights, taps } = weightsOf(filter, width, resized);
  const out = new Float32Array(resized * height);
  let o = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < resized; x++) {
      const from = y * width + first[x];
      let sum = 0;
      for (let t = 0; t < count[x]; t++) sum += weights[x * taps + t] * data[from + t];
      out[o++] = sum;
    }
  return { width: resized, height, data: out };
}

function resizeColumns({ width, height, data }: Plane, filter: Filter, resized: number): Plane {
  const { first, count, weights, taps } = weightsOf(filter, height, resized);
  const out = new Float32Array(width * resized);
  for (let y = 0; y < resized; y++)
    for (let x = 0; x < width; x++) {
      const from = first[y] * width + x;
      let sum = 0;
      for (let t = 0; t < count[y]; t++) sum += weights[y * taps + t] * data[from + t * width];
      out[y * width + x] = sum;
    }
  return { width, height: resized, data: out };
}
