import { zeroRowBytes } from './nbits';

export interface Quantization {
  bits: 4 | 8;
  blockSize: number;
  /** Zero points that are not stored: 2^(bits − 1). */
  symmetric: boolean;
}

/** Rows of a weight in the layout of MatMulNBits. */
export interface QuantizedRows {
  packed: Uint8Array;
  scales: Float32Array;
  zeros: Uint8Array;
  /** Sums over all values: of the squared differences to the original, and of its squares. */
  error: number;
  norm: number;
}

/** A smaller range than that of the values rounds most of them better and clips a few. */
const RANGES: Record<number, readonly number[]> = { 4: [1, 0.95, 0.9, 0.85, 0.8], 8: [1] };

/**
 * Rounds rows (rows, in) to the nearest, block by block: with each of a few ranges, then with the scale that is best for
 * these integers (least squares); the smallest squared error wins.
 */
export function quantizeRows(values: Float32Array, inFeatures: number, q: Quantization): QuantizedRows {
  const { bits, blockSize, symmetric } = q;
  const rows = values.length / inFeatures;
  const blocks = Math.ceil(inFeatures / blockSize);
  const perByte = 8 / bits;
  const rowBytes = (blocks * blockSize) / perByte;
  const zeroBytes = zeroRowBytes({ bits, blockSize, blocks });
  const packed = new Uint8Array(rows * rowBytes);
  const scales = new Float32Array(rows * blocks);
  const zeros = new Uint8Array(symmetric ? 0 : rows * zeroBytes);
  const codes = new Uint8Array(blockSize);
  let error = 0;
  let norm = 0;
  for (let row = 0; row < rows; row++)
    for (let block = 0; block < blocks; block++) {
      const from = row * inFeatures + block * blockSize;
      const to = Math.min(from + blockSize, (row + 1) * inFeatures);
      const found = quantizeBlock(values, from, to, q, codes);
      scales[row * blocks + block] = found.scale;
      error += found.error;
      for (let i = from; i < to; i++) norm += values[i] * values[i];
      const at = row * rowBytes + (block * blockSize) / perByte;
      for (let i = 0; i < blockSize; i++) {
        // The filling of the last block is zero.
        const code = i < to - from ? codes[i] : found.zero;
        packed[at + Math.floor(i / perByte)] |= code << (bits * (i % perByte));
      }
      if (!symmetric)
        zeros[row * zeroBytes + Math.floor(block / perByte)] |= found.zero << (bits * (block % perByte));
    }
  return { packed, scales, zeros, error, norm };
}

/** Writes the integers to `codes`. */
function quantizeBlock(
  values: Float32Array,
  from: number,
  to: number,
  { bits, symmetric }: Quantization,
  codes: Uint8Array,
): { scale: number; zero: number; error: number } {
  const most = 2 ** bits - 1;
  const middle = 2 ** (bits - 1);
  let low = 0;
  let high = 0;
  let norm = 0;
  for (let i = from; i < to; i++) {
    const v = values[i];
    if (v < low) low = v;
    if (v > high) high = v;
    norm += v * v;
  }
  // The value of the largest magnitude becomes the lowest integer, of which there is one more than above zero.
  const widest = symmetric ? -(high > -low ? high : low) / middle : (high - low) / most;
  const zeroOf = (step: number, range: number): number =>
    symmetric ? middle : Math.min(most, Math.max(0, Math.round((-low * range) / step)));
  if (widest === 0) {
    const zero = zeroOf(1, 1);
    codes.fill(zero);
    return { scale: 1, zero, error: 0 };
  }
  let bestRange = 1;
  let bestScale = widest;
  let least = Infinity;
  for (const range of RANGES[bits]) {
    const step = widest * range;
    const zero = zeroOf(step, range);
    const inverse = 1 / step;
    let cross = 0;
    let square = 0;
    for (let i = from; i < to; i++) {
      const code = rounded(values[i] * inverse + zero, most) - zero;
      cross += values[i] * code;
      square += code * code;
    }
    // The rest of the squares with the best scale for these integers.
    const error = square > 0 ? norm - (cross * cross) / square : norm;
    if (error >= least) continue;
    least = error;
    bestRange = range;
    bestScale = square > 0 ? cross / square : step;
  }
  const step = widest * bestRange;
  const zero = zeroOf(step, bestRange);
  const scale = Math.fround(bestScale);
  let error = 0;
  for (let i = from; i < to; i++) {
    const code = rounded(values[i] * (1 / step) + zero, most);
    codes[i - from] = code;
    error += (values[i] - (code - zero) * scale) ** 2;
  }
  return { scale, zero, error };
}

const rounded = (v: number, most: number): number => {
  const nearest = Math.floor(v + 0.5);
  return nearest < 0 ? 0 : nearest > most ? most : nearest;
};
