import type { RgbImage, Size } from './image';
import { coefficients, FRACTION_BITS, type Coefficients, type Resample } from './resample';

/**
 * An image of another size, equal to Pillow's Image.resize in every bit: rows first, then columns, with bytes between
 * them.
 */
export function resize(image: RgbImage, { width, height }: Size, resample: Resample): RgbImage {
  if (resample === 'nearest') return nearest(image, { width, height });
  const wide = width === image.width ? image : resizeRows(image, coefficients(resample, image.width, width));
  return height === wide.height ? wide : resizeColumns(wide, coefficients(resample, wide.height, height));
}

/** The start of a rounded sum. */
const HALF = 1 << (FRACTION_BITS - 1);

function resizeRows({ width, height, data }: RgbImage, by: Coefficients): RgbImage {
  const { first, count, weights, taps } = by;
  const resized = first.length;
  const out = new Uint8ClampedArray(3 * resized * height);
  let o = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < resized; x++) {
      let r = HALF;
      let g = HALF;
      let b = HALF;
      let i = 3 * (y * width + first[x]);
      const start = x * taps;
      const end = start + count[x];
      for (let k = start; k < end; k++, i += 3) {
        const w = weights[k];
        r = (r + Math.imul(w, data[i])) | 0;
        g = (g + Math.imul(w, data[i + 1])) | 0;
        b = (b + Math.imul(w, data[i + 2])) | 0;
      }
      out[o++] = r >> FRACTION_BITS;
      out[o++] = g >> FRACTION_BITS;
      out[o++] = b >> FRACTION_BITS;
    }
  return { width: resized, height, data: out };
}

function resizeColumns({ width, data }: RgbImage, by: Coefficients): RgbImage {
  const { first, count, weights, taps } = by;
  const resized = first.length;
  const line = 3 * width;
  const out = new Uint8ClampedArray(line * resized);
  for (let y = 0; y < resized; y++) {
    const top = first[y] * line;
    const start = y * taps;
    const end = start + count[y];
    for (let x = 0; x < line; x++) {
      let sum = HALF;
      let i = top + x;
      for (let k = start; k < end; k++, i += line) sum = (sum + Math.imul(weights[k], data[i])) | 0;
      out[y * line + x] = sum >> FRACTION_BITS;
    }
  }
  return { width, height: resized, data: out };
}

function nearest(image: RgbImage, { width, height }: Size): RgbImage {
  const columns = nearestPlaces(image.width, width);
  const rows = nearestPlaces(image.height, height);
  const data = new Uint8ClampedArray(3 * width * height);
  let o = 0;
  for (const y of rows)
    for (const x of columns) {
      const i = 3 * (y * image.width + x);
      data[o++] = image.data[i];
      data[o++] = image.data[i + 1];
      data[o++] = image.data[i + 2];
    }
  return { width, height, data };
}

/** The pixel at the center of each new one. Added up, as in Pillow: a product is rounded otherwise. */
function nearestPlaces(length: number, resized: number): Int32Array {
  const scale = length / resized;
  const places = new Int32Array(resized);
  let at = scale * 0.5;
  for (let i = 0; i < resized; i++, at += scale) places[i] = Math.trunc(at);
  return places;
}
