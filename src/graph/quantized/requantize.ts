import { DType } from '../dtype';
import type { Tensor } from '../model';
import { fromBfloat16, fromHalf, toBfloat16, toHalf } from '../number-formats';
import { tensorNumbers, tensorOf, tensorValues } from '../values';
import type { Bnb4 } from './bnb4';
import { blockBytes, defaultZero, type NBits, zerosOf } from './nbits';

/** New values in the form of a quantized weight: same names, shapes and types, and the same zero points. */
export interface Requantized {
  weight: Tensor;
  scales: Tensor;
  /** The sum, over all values, of the squared differences to the requested ones. */
  error: number;
}

/** @param values (out, in) */
export function requantizeNBits(w: NBits, values: Float32Array): Requantized {
  const { inFeatures, outFeatures, bits, blockSize, blocks } = w;
  const scales = tensorNumbers(w.scales);
  const zeros = w.zeroPoints ? zerosOf(w, w.zeroPoints) : undefined;
  const packed = new Uint8Array(outFeatures * blocks * blockBytes(w));
  const perByte = 8 / bits;
  const grid = { low: 0, high: 2 ** bits - 1, signed: true, stored: roundingOf(w.scales) };
  const codes = new Float32Array(blockSize);
  let error = 0;
  for (let block = 0; block < outFeatures * blocks; block++) {
    const row = Math.floor(block / blocks);
    const from = row * inFeatures + (block % blocks) * blockSize;
    const to = Math.min(from + blockSize, (row + 1) * inFeatures);
    const zero = zeros ? zeros[block] : defaultZero(w);
    // The filling of the last block is zero.
    codes.fill(Math.min(grid.high, Math.max(0, Math.round(zero))));
    const found = refit(values.subarray(from, to), { ...grid, zero }, scales[block], codes);
    scales[block] = found.scale;
    error += found.error;
    for (let i = 0; i < blockSize; i++)
      packed[block * blockBytes(w) + Math.floor(i / perByte)] |= codes[i] << (bits * (i % perByte));
  }
  return { weight: { ...w.weight, data: packed }, scales: ofType(w.scales, scales), error };
}

/**
 * Indices into the same table, with new scales: of that of before and those of a few ranges, the one that rounds a block best.
 *
 * @param values (out, in)
 */
export function requantizeBnb4(w: Bnb4, values: Float32Array): Requantized {
  const { blockSize, table } = w;
  const scales = tensorNumbers(w.scales);
  const packed = new Uint8Array(Math.ceil(values.length / 2));
  let error = 0;
  for (const [block, before] of scales.entries()) {
    const own = values.subarray(block * blockSize, (block + 1) * blockSize);
    const largest = own.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    let best = { codes: new Uint8Array(own.length), error: Infinity };
    for (const scale of [before, ...RANGES.map((r) => Math.fround(largest * r))]) {
      const found = lookedUp(own, table, scale);
      if (found.error < best.error) [best, scales[block]] = [found, scale];
    }
    error += best.error;
    best.codes.forEach((code, i) => {
      const at = block * blockSize + i;
      packed[at >> 1] |= at % 2 === 0 ? code << 4 : code;
    });
  }
  return { weight: { ...w.weight, data: packed }, scales: ofType(w.scales, scales), error };
}

/** The indices of the nearest values of a table, and the sum of squared errors. */
function lookedUp(values: Float32Array, table: readonly number[], scale: number) {
  const codes = new Uint8Array(values.length);
  const grid = table.map((v) => Math.fround(v * scale));
  let error = 0;
  values.forEach((v, i) => {
    let nearest = 0;
    for (let k = 1; k < grid.length; k++)
      if (Math.abs(grid[k] - v) < Math.abs(grid[nearest] - v)) nearest = k;
    codes[i] = nearest;
    error += (grid[nearest] - v) ** 2;
  });
  return { codes, error };
}

/** A weight that DequantizeLinear reads, or as it does. */
export interface Linear {
  weight: Tensor;
  scale: Tensor;
  zero: Tensor | undefined;
  axis: number;
  blockSize: number;
}

/**
 * Uses no other integers than the weight had: some quantizers leave out the lowest, or use 7 bits.
 *
 * @param values in the order of the stored weight
 */
export function requantizeLinear(l: Linear, values: Float32Array): Requantized {
  const before = tensorValues(l.weight) as ArrayLike<number>;
  let [low, high] = [0, 0];
  for (let i = 0; i < before.length; i++) {
    low = Math.min(low, before[i]);
    high = Math.max(high, before[i]);
  }
  const scales = tensorNumbers(l.scale);
  const zeros = l.zero && tensorNumbers(l.zero);
  const grid = { low, high, signed: false, stored: roundingOf(l.scale) };
  const integers = new Float32Array(values.length);
  let error = 0;
  for (const [group, indices] of groupsOf(l.weight.dims, scales.length, l.axis, l.blockSize)) {
    const codes = new Float32Array(indices.length);
    const zero = zeros?.[zeros.length === 1 ? 0 : group] ?? 0;
    const own = Float32Array.from(indices, (i) => values[i]);
    const found = refit(own, { ...grid, zero }, scales[group], codes);
    scales[group] = found.scale;
    error += found.error;
    for (let k = 0; k < indices.length; k++) integers[indices[k]] = codes[k];
  }
  return { weight: ofType(l.weight, integers), scales: ofType(l.scale, scales), error };
}

const ofType = (t: Tensor, values: ArrayLike<number>): Tensor => ({
  ...t,
  data: tensorOf(t.name, t.dtype, t.dims, values).data,
});

/** The rounding of a scale to its type. */
function roundingOf({ dtype }: Tensor): (scale: number) => number {
  if (dtype === DType.float16) return (v) => fromHalf(toHalf(v));
  return dtype === DType.bfloat16 ? (v) => fromBfloat16(toBfloat16(v)) : Math.fround;
}

/** The integers that a group of values may have. */
export interface Grid {
  low: number;
  high: number;
  /** The integer of the group, or number between two, that stands for 0. */
  zero: number;
  /** True if the scale may be negative, so that the side with one more integer holds the largest value. */
  signed: boolean;
  /** A scale as its type stores it. */
  stored: (scale: number) => number;
}

/** Shares of a range: with few integers, a smaller one rounds most values better and clips a few. */
const RANGES = [1, 0.95, 0.9, 0.85, 0.8];

/**
 * Rounds values to the integers of a group that had a scale and a zero point before: the zero point stays, and the scale
 * that rounds them best is chosen from the one before and the least squares' for the integers that it, or a scale that fits
 * the range of the values, gives. Values that are on the grid of before stay exactly as they are.
 *
 * @param codes the integers, as many as values
 * @returns the scale, and the sum of squared errors
 */
function refit(
  values: Float32Array,
  { low, high, zero, signed, stored }: Grid,
  before: number,
  codes: Float32Array,
): { scale: number; error: number } {
  let scale = before;
  let error = errorOf(before);
  // Nothing rounds better than a grid that has the values.
  if (error === 0) return fill();
  for (const step of steps()) {
    const fitted = stored(leastSquares(step));
    const own = errorOf(fitted);
    if (own < error) [scale, error] = [fitted, own];
  }
  return fill();

  function code(v: number, step: number): number {
    const nearest = Math.round(v / step + zero);
    return nearest < low ? low : nearest > high ? high : nearest;
  }

  function errorOf(step: number): number {
    if (!(Math.abs(step) > 0)) return values.some((v) => v !== 0) ? Infinity : 0;
    let sum = 0;
    for (const v of values) sum += (v - Math.fround((code(v, step) - zero) * step)) ** 2;
    return sum;
  }

  function leastSquares(step: number): number {
    let cross = 0;
    let square = 0;
    for (const v of values) {
      const c = code(v, step) - zero;
      cross += v * c;
      square += c * c;
    }
    return square > 0 ? cross / square : step;
  }

  function steps(): number[] {
    const [least, most] = values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [0, 0]);
    const [below, above] = [zero - low, high - zero];
    const widest = [
      Math.max(above > 0 ? most / above : 0, below > 0 ? -least / below : 0),
      -Math.max(below > 0 ? most / below : 0, above > 0 ? -least / above : 0),
    ].filter((step) => step !== 0 && (signed || step > 0 === before >= 0));
    const ranges = high - low < 16 ? RANGES : [1];
    return [...(before === 0 ? [] : [before]), ...widest.flatMap((step) => ranges.map((r) => step * r))];
  }

  function fill(): { scale: number; error: number } {
    values.forEach((v, i) => (codes[i] = Math.abs(scale) > 0 ? code(v, scale) : Math.round(zero)));
    return { scale, error: Number.isFinite(error) ? error : values.reduce((sum, v) => sum + v * v, 0) };
  }
}

/**
 * The indices of the values that share a scale, in DequantizeLinear's layout: one scale for all, one for each index of an
 * axis, or one for each block along it.
 */
function* groupsOf(
  dims: readonly number[],
  scales: number,
  axis: number,
  blockSize: number,
): Generator<[group: number, indices: Uint32Array]> {
  const along = axis < 0 ? axis + dims.length : axis;
  const size = dims[along] ?? 1;
  const inner = dims.slice(along + 1).reduce((a, b) => a * b, 1);
  const outer = dims.slice(0, along).reduce((a, b) => a * b, 1);
  const count = dims.reduce((a, b) => a * b, 1);
  if (scales === 1) yield [0, Uint32Array.from({ length: count }, (_, i) => i)];
  else if (blockSize === 0)
    for (let at = 0; at < size; at++)
      yield [
        at,
        Uint32Array.from(
          { length: outer * inner },
          (_, k) => (Math.floor(k / inner) * size + at) * inner + (k % inner),
        ),
      ];
  else {
    const blocks = Math.ceil(size / blockSize);
    for (let group = 0; group < outer * blocks * inner; group++) {
      const [o, block] = [Math.floor(group / (blocks * inner)), Math.floor(group / inner) % blocks];
      const from = block * blockSize;
      const length = Math.min(blockSize, size - from);
      yield [group, Uint32Array.from({ length }, (_, k) => (o * size + from + k) * inner + (group % inner))];
    }
  }
}
