/** Pillow's filters, by the number that `resample` has in preprocessor_config.json (PIL.Image.Resampling). */
export const RESAMPLES = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'] as const;
export type Resample = (typeof RESAMPLES)[number];

/** The pixels of a line that become a pixel of the resized line, and their weights. */
export interface Coefficients {
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
export const FRACTION_BITS = 32 - 8 - 2;

interface Filter {
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

const FILTERS: Record<Exclude<Resample, 'nearest'>, Filter> = {
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
export function coefficients(filter: keyof typeof FILTERS, length: number, resized: number): Coefficients {
  const key = `${filter} ${length} ${resized}`;
  const known = kept.get(key);
  if (known) return known;
  const made = compute(FILTERS[filter], length, resized);
  if (kept.size >= KEPT) kept.delete(kept.keys().next().value!);
  kept.set(key, made);
  return made;
}

function compute({ support, weight }: Filter, length: number, resized: number): Coefficients {
  const scale = length / resized;
  const stretch = Math.max(1, scale);
  const reach = support * stretch;
  const taps = 2 * Math.ceil(reach) + 1;
  const first = new Int32Array(resized);
  const count = new Int32Array(resized);
  const weights = new Int32Array(resized * taps);
  const exact = new Float64Array(taps);
  for (let i = 0; i < resized; i++) {
    const center = (i + 0.5) * scale;
    first[i] = Math.max(0, Math.trunc(center - reach + 0.5));
    count[i] = Math.min(length, Math.trunc(center + reach + 0.5)) - first[i];
    let sum = 0;
    for (let t = 0; t < count[i]; t++) {
      exact[t] = weight((t + first[i] - center + 0.5) * (1 / stretch));
      sum += exact[t];
    }
    for (let t = 0; t < count[i]; t++) weights[i * taps + t] = fixed(sum === 0 ? exact[t] : exact[t] / sum);
  }
  return { first, count, weights, taps };
}

/** Rounded half away from zero. */
const fixed = (weight: number): number => Math.trunc(weight * 2 ** FRACTION_BITS + (weight < 0 ? -0.5 : 0.5));
