/**
 * Counter-based random numbers: every draw is a pure function of a seed and some keys (step, example, position …), so a
 * resumed run draws the same numbers as an uninterrupted one, regardless of other draws. Uses only 32-bit integer
 * arithmetic and the exactly rounded + - * / √: same bits on every platform.
 */

/** First key by convention, so that draws for different purposes never coincide. */
export const Stream = {
  split: 1,
  order: 2,
  batches: 3,
  initialization: 4,
  dropout: 5,
  samples: 6,
  verification: 7,
  generation: 8,
  trials: 9,
  projections: 10,
  locations: 11,
  sweep: 12,
  augmentation: 13,
  masking: 14,
  packing: 15,
  noise: 16,
  timesteps: 17,
  posterior: 18,
  noiseOffset: 19,
  classImages: 20,
  pictures: 21,
  fit: 22,
  combination: 23,
  start: 24,
} as const;

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** High 32 bits of an unsigned 32×32-bit product; both arguments in [0, 2³²). */
function mulHigh(a: number, b: number): number {
  const al = a & 0xffff;
  const ah = a >>> 16;
  const bl = b & 0xffff;
  const bh = b >>> 16;
  const middle = ah * bl + ((al * bl) >>> 16);
  const cross = al * bh + (middle & 0xffff);
  return (ah * bh + (middle >>> 16) + (cross >>> 16)) >>> 0;
}

/**
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): maps a 128-bit counter and a
 * 64-bit key to four independent uint32, written to `out`.
 */
export function philox4x32(
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
  out: Uint32Array,
): void {
  let [a, b, c, d] = [c0 >>> 0, c1 >>> 0, c2 >>> 0, c3 >>> 0];
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(M0, a);
    const high1 = mulHigh(M1, c);
    const low0 = Math.imul(M0, a) >>> 0;
    const low1 = Math.imul(M1, c) >>> 0;
    a = (high1 ^ b ^ k0) >>> 0;
    b = low1;
    c = (high0 ^ d ^ k1) >>> 0;
    d = low0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  out[0] = a;
  out[1] = b;
  out[2] = c;
  out[3] = d;
}

const scratch = new Uint32Array(4);

/**
 * Fills `scratch`. Up to four keys form one counter; more are absorbed block by block, each keyed by the previous one.
 */
function draw(seed: number, keys: readonly number[]): void {
  let k0 = seed >>> 0;
  let k1 = Math.floor(seed / 0x100000000) >>> 0;
  for (let i = 0; i === 0 || i < keys.length; i += 4) {
    philox4x32(keys[i] ?? 0, keys[i + 1] ?? 0, keys[i + 2] ?? 0, keys[i + 3] ?? 0, k0, k1, scratch);
    k0 = scratch[0]!;
    k1 = scratch[1]!;
  }
}

/** A uint32 for an integer seed below 2⁵³ and integer keys, each taken modulo 2³²; a missing key counts as 0. */
export function random(seed: number, ...keys: number[]): number {
  draw(seed, keys);
  return scratch[0]!;
}

/** Uniform in [0, 1) with 53 bits. */
export function uniform(seed: number, ...keys: number[]): number {
  draw(seed, keys);
  return ((scratch[0]! >>> 5) * 0x4000000 + (scratch[1]! >>> 6)) / 0x20000000000000;
}

/** Standard normal, by the inverse distribution function at the middle of one of 2⁵² equal cells: never ±∞. */
export function normal(seed: number, ...keys: number[]): number {
  draw(seed, keys);
  return inverseNormal(((scratch[0]! >>> 6) * 0x4000000 + (scratch[1]! >>> 6) + 0.5) / 0x10000000000000);
}

/** 0 … n-1 in random order (Fisher–Yates); the keys select the permutation, such as a stream and an epoch. */
export function permutation(n: number, seed: number, ...keys: number[]): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(uniform(seed, ...keys, i) * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/**
 * Another permutation of 0 … n-1, element by element: it stores only those that it has moved, so that a few of very many
 * are drawn at once.
 */
export function* permuted(n: number, seed: number, ...keys: number[]): Generator<number, void> {
  const moved = new Map<number, number>();
  for (let i = 0; i < n; i++) {
    const j = i + Math.floor(uniform(seed, ...keys, i) * (n - i));
    yield moved.get(j) ?? j;
    moved.set(j, moved.get(i) ?? i);
  }
}

/**
 * The inverse of the standard normal distribution function: Wichura, algorithm AS 241 (PPND16), Applied
 * Statistics 37 (1988), relative accuracy about 1e-16.
 */
/* eslint-disable no-loss-of-precision -- the digits as printed there */
const CENTER = {
  p: [
    3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
    45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727,
  ],
  q: [
    1, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077, 21213.794301586595867,
    39307.89580009271061, 28729.085735721942674, 5226.495278852854561,
  ],
};
const NEAR_TAIL = {
  p: [
    1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504,
    1.27045825245236838258, 0.24178072517745061177, 0.0227238449892691845833, 0.00077454501427834140764,
  ],
  q: [
    1, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455, 0.14810397642748007459,
    0.0151986665636164571966, 0.0005475938084995344946, 1.05075007164441684324e-9,
  ],
};
const FAR_TAIL = {
  p: [
    6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 0.29656057182850489123,
    0.026532189526576123093, 0.0012426609473880784386, 0.0000271155556874348757815, 2.01033439929228813265e-7,
  ],
  q: [
    1, 0.59983220655588793769, 0.13692988092273580531, 0.0148753612908506148525, 0.0007868691311456132591,
    0.000018463183175100546818, 1.4215117583164458887e-7, 2.04426310338993978564e-15,
  ],
};

/* eslint-enable no-loss-of-precision */

const horner = (coefficients: number[], x: number): number =>
  coefficients.reduceRight((sum, c) => sum * x + c, 0);

const ratio = (r: { p: number[]; q: number[] }, x: number): number => horner(r.p, x) / horner(r.q, x);

/** ln x for 0 < x < 1 from exactly rounded operations alone: Math.log may differ between platforms in its last bit. */
function log(x: number): number {
  let exponent = 0;
  for (; x < Math.SQRT1_2; x *= 2) exponent--;
  const s = (x - 1) / (x + 1);
  let sum = 0;
  for (let k = 23; k > 0; k -= 2) sum = sum * s * s + 2 / k;
  return exponent * Math.LN2 + sum * s;
}

/** @param p strictly between 0 and 1 */
export function inverseNormal(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * ratio(CENTER, 0.180625 - q * q);
  const r = Math.sqrt(-log(q < 0 ? p : 1 - p));
  const x = r <= 5 ? ratio(NEAR_TAIL, r - 1.6) : ratio(FAR_TAIL, r - 5);
  return q < 0 ? -x : x;
}
