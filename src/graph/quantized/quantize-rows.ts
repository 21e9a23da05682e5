import { defaultZero, zeroRowBytes } from './nbits';

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
const RANGES: Record<number, readonly number[]> = { 4: [1, 0.96, 0.92, 0.88, 0.84, 0.8, 0.75], 8: [1] };

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
  const best = new Uint8Array(blockSize);
  let error = 0;
  let norm = 0;
  for (let row = 0; row < rows; row++)
    for (let block = 0; block < blocks; block++) {
      const from = row * inFeatures + block * blockSize;
      const to = Math.min(from + blockSize, (row + 1) * inFeatures);
      const found = quantizeBlock(values, from, to, q, codes, best);
      scales[row * blocks + block] = found.scale;
      error += found.error;
      for (let i = from; i < to; i++) norm += values[i] * values[i];
      const at = row * rowBytes + (block * blockSize) / perByte;
      for (let i = 0; i < blockSize; i++) {
        // What fills the last block is zero.
        const code = i < to - from ? best[i] : found.zero;
        packed[at + Math.floor(i / perByte)] |= code << (bits * (i % perByte));
      }
      if (!symmetric)
        zeros[row * zeroBytes + Math.floor(block / perByte)] |= found.zero << (bits * (block % perByte));
    }
  return { packed, scales, zeros, error, norm };
}

/** Writes the integers to `best`; `codes` is overwritten. */
function quantizeBlock(
  values: Float32Array,
  from: number,
  to: number,
  { bits, symmetric }: Quantization,
  codes: Uint8Array,
  best: Uint8Array,
): { scale: number; zero: number; error: number } {
  const most = 2 ** bits - 1;
  let low = 0;
  let high = 0;
  for (let i = from; i < to; i++) {
    if (values[i] < low) low = values[i];
    if (values[i] > high) high = values[i];
  }
  const middle = defaultZero({ bits, blockSize: 0, blocks: 0 });
  // The value of the largest magnitude becomes the lowest integer, of which there is one more than above zero.
  const widest = symmetric ? -(high > -low ? high : low) / middle : (high - low) / most;
  let found = { scale: 1, zero: symmetric ? middle : 0, error: Infinity };
  if (widest === 0) {
    best.fill(found.zero);
    return { ...found, error: 0 };
  }
  for (const range of RANGES[bits]) {
    const step = Math.fround(widest * range);
    const zero = symmetric ? middle : Math.min(most, Math.max(0, Math.round((-low * range) / step)));
    let cross = 0;
    let square = 0;
    for (let i = from; i < to; i++) {
      const code = Math.min(most, Math.max(0, Math.round(values[i] / step) + zero));
      codes[i - from] = code;
      cross += values[i] * (code - zero);
      square += (code - zero) ** 2;
    }
    const scale = Math.fround(square > 0 ? cross / square : step);
    let error = 0;
    for (let i = from; i < to; i++) error += (values[i] - (codes[i - from] - zero) * scale) ** 2;
    if (error >= found.error) continue;
    found = { scale, zero, error };
    best.set(codes);
  }
  return found;
}
