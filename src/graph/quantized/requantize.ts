import { DType } from '../dtype';
import { fromBfloat16, fromHalf, toBfloat16, toHalf } from '../half';
import type { Tensor } from '../model';
import { tensorNumbers, tensorOf, tensorValues } from '../values';
import { groupsOf } from './groups';
import { blockBytes, defaultZero, type NBits } from './nbits';
import { zerosOf } from './nbits-values';
import { refit } from './refit';

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
