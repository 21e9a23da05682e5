import type { RgbImage, Size } from './image';

/** Pillow's filters, by the number that `resample` has in preprocessor_config.json (PIL.Image.Resampling). */
export const RESAMPLES = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'] as const;
export type Resample = (typeof RESAMPLES)[number];

/** The pixels of a line that become a pixel of the resized line, and their weights. */
interface Coefficients {
  /** The first pixel that counts and the number of pixels, by pixel of the resized line. */
  first: Int32Array;
  count: Int32Array;
  /** `taps` for each pixel of the resized line, as fixed-point numbers; 0 beyond its count. */
  weights: Int32Array;
  taps: number;
}

/**
 * Fraction bits of a weight: with 8 bits of a pixel and 2 more for weights below 0 and above 1, a sum fits into a
 * 32-bit integer (Pillow's PRECISION_BITS).
 */
const FRACTION_BITS = 32 - 8 - 2;

interface Kernel {
  /** The end of the filter, in pixels of the coarser line. */
  support: number;
  weight(x: number): number;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

/** Keys' cubic convolution with a = −0.5. */
function cubic(x: number): number {
  const a = -0.5;
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/** Pillow has these constants in single precision. */
const hammingWindow = (x: number): number => Math.fround(0.54) + Math.fround(0.46) * Math.cos(x * Math.PI);

export type Filter = Exclude<Resample, 'nearest'>;

const FILTERS: Record<Filter, Kernel> = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: { support: 1, weight: (x) => (Math.abs(x) < 1 ? sinc(x) * hammingWindow(x) : 0) },
  bicubic: { support: 2, weight: (x) => cubic(Math.abs(x)) },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** Data sets have few sizes, or so many that keeping them does not pay. */
const KEPT = 64;
const kept = new Map<string, Coefficients>();

/**
 * The coefficients that resize `length` pixels to `resized` ones: the filter around the center of each, stretched when
 * there are fewer of them, so that each of the old pixels counts (antialiasing).
 */
function coefficients(filter: Filter, length: number, resized: number): Coefficients {
  const key = `${filter} ${length} ${resized}`;
  const known = kept.get(key);
  if (known) return known;
  const made = compute(filter, length, resized);
  if (kept.size >= KEPT) kept.delete(kept.keys().next().value!);
  kept.set(key, made);
  return made;
}

function compute(filter: Filter, length: number, resized: number): Coefficients {
  const exact = weightsOf(filter, length, resized);
  return { ...exact, weights: Int32Array.from(exact.weights, fixed) };
}

/** The same with weights that are not rounded. */
export function weightsOf(
  filter: Filter,
  length: number,
  resized: number,
): Omit<Coefficients, 'weights'> & { weights: Float64Array } {
  const { support, weight } = FILTERS[filter];
  const scale = length / resized;
  const stretch = Math.max(1, scale);
  const reach = support * stretch;
  const taps = 2 * Math.ceil(reach) + 1;
  const first = new Int32Array(resized);
  const count = new Int32Array(resized);
  const weights = new Float64Array(resized * taps);
  for (let i = 0; i < resized; i++) {
    const center = (i + 0.5) * scale;
    first[i] = Math.max(0, Math.trunc(center - reach + 0.5));
    count[i] = Math.min(length, Math.trunc(center + reach + 0.5)) - first[i];
    let sum = 0;
    for (let t = 0; t < count[i]; t++) {
      weights[i * taps + t] = weight((t + first[i] - center + 0.5) * (1 / stretch));
      sum += weights[i * taps + t];
    }
    if (sum !== 0) for (let t = 0; t < count[i]; t++) weights[i * taps + t] /= sum;
  }
  return { first, count, weights, taps };
}

/** Rounded half away from zero. */
const fixed = (weight: number): number => Math.trunc(weight * 2 ** FRACTION_BITS + (weight < 0 ? -0.5 : 0.5));

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
