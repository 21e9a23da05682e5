import { inverseNormal } from './normal';

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
