import { isFloat } from '../dtype';
import { readFileRef, tensorNumbers } from '../values';
import { isFileRef, type Tensor } from '../model';
import { blockBytes, defaultZero, rowsOf, zeroRowBytes, type NBits } from './nbits';

/** Rows `from` to `to` of the weight (out, in), in float32. */
export function nbitsRows(w: NBits, from = 0, to = w.outFeatures): Float32Array {
  const { inFeatures, outFeatures, bits, blockSize, blocks } = w;
  const part = (t: Tensor) => rowsOf(t, outFeatures, from, to);
  const packed = bytesOf(part(w.weight));
  const scales = tensorNumbers({ ...w.scales, data: part(w.scales) });
  const zeros = w.zeroPoints ? zerosOf(w, { ...w.zeroPoints, data: part(w.zeroPoints) }) : undefined;
  const rowBytes = blocks * blockBytes(w);
  const perByte = 8 / bits;
  const mask = 2 ** bits - 1;
  const out = new Float32Array((to - from) * inFeatures);
  for (let row = 0; row < to - from; row++)
    for (let i = 0; i < inFeatures; i++) {
      const block = row * blocks + Math.floor(i / blockSize);
      const q = (packed[row * rowBytes + Math.floor(i / perByte)] >> (bits * (i % perByte))) & mask;
      out[row * inFeatures + i] = (q - (zeros ? zeros[block] : defaultZero(w))) * scales[block];
    }
  return out;
}

/** The zero points of some rows, one per block. */
export function zerosOf(w: NBits, rows: Tensor): number[] {
  const values = tensorNumbers(rows);
  if (isFloat(rows.dtype)) return values;
  const { bits, blocks } = w;
  const perRow = zeroRowBytes(w);
  const perByte = 8 / bits;
  return Array.from({ length: (values.length / perRow) * blocks }, (_, at) => {
    const [row, block] = [Math.floor(at / blocks), at % blocks];
    return (
      (values[row * perRow + Math.floor(block / perByte)] >> (bits * (block % perByte))) & (2 ** bits - 1)
    );
  });
}

const bytesOf = (data: Tensor['data']): Uint8Array => (isFileRef(data) ? readFileRef(data) : data);
