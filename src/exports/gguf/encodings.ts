import { fromHalf, halfValues, toHalf } from '../../graph/number-formats';

/** The types of tensors that are written: float32, float16, and 8 bits in blocks of 32 with a float16 scale. */
export type TensorType = 'F32' | 'F16' | 'Q8_0';

/** A type of tensors in a GGUF file. */
interface Encoding {
  /** Its number in ggml.h (ggml_type). */
  code: number;
  /** Values in a block; rows are whole blocks. */
  block: number;
  /** Bytes of a block. */
  bytes: number;
  /** @param values whole blocks */
  encode(values: Float32Array): Uint8Array;
  /** @param bytes whole blocks, at any alignment */
  decode(bytes: Uint8Array): Float32Array;
}

const BLOCK = 32;
const BLOCK_BYTES = 2 + BLOCK;
/** The largest of the 8-bit integers that are used; −128 is not. */
const MOST = 127;

/**
 * Q8_0: each block has the scale d = max|x| / 127 in float16, then x / d rounded, halves away from zero
 * (quantize_row_q8_0_ref in ggml-quants.c, with its float32 arithmetic).
 */
function encodeBlocks(values: Float32Array): Uint8Array {
  const blocks = values.length / BLOCK;
  const out = new Uint8Array(blocks * BLOCK_BYTES);
  const view = new DataView(out.buffer);
  for (let b = 0; b < blocks; b++) {
    let largest = 0;
    for (let i = 0; i < BLOCK; i++) largest = Math.max(largest, Math.abs(values[b * BLOCK + i]));
    const scale = Math.fround(largest / MOST);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    view.setUint16(b * BLOCK_BYTES, toHalf(scale), true);
    for (let i = 0; i < BLOCK; i++) {
      const x = Math.fround(values[b * BLOCK + i] * inverse);
      view.setInt8(b * BLOCK_BYTES + 2 + i, Math.sign(x) * Math.floor(Math.abs(x) + 0.5));
    }
  }
  return out;
}

function decodeBlocks(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blocks = bytes.length / BLOCK_BYTES;
  const values = new Float32Array(blocks * BLOCK);
  for (let b = 0; b < blocks; b++) {
    const scale = fromHalf(view.getUint16(b * BLOCK_BYTES, true));
    for (let i = 0; i < BLOCK; i++) values[b * BLOCK + i] = scale * view.getInt8(b * BLOCK_BYTES + 2 + i);
  }
  return values;
}

function encodeHalves(values: Float32Array): Uint8Array {
  const halves = new Uint16Array(values.length);
  // Several times as fast as Uint16Array.from with a function; models have billions of weights.
  for (let i = 0; i < values.length; i++) halves[i] = toHalf(values[i]);
  return new Uint8Array(halves.buffer);
}

function decodeHalves(bytes: Uint8Array): Float32Array {
  const halves = new Uint16Array(bytes.slice().buffer);
  const decoded = halfValues();
  const values = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) values[i] = decoded[halves[i]];
  return values;
}

export const ENCODINGS: Record<TensorType, Encoding> = {
  F32: {
    code: 0,
    block: 1,
    bytes: 4,
    encode: (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    decode: (bytes) => new Float32Array(bytes.slice().buffer),
  },
  F16: {
    code: 1,
    block: 1,
    bytes: 2,
    encode: encodeHalves,
    decode: decodeHalves,
  },
  Q8_0: { code: 8, block: BLOCK, bytes: BLOCK_BYTES, encode: encodeBlocks, decode: decodeBlocks },
};
