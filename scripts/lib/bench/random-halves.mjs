import { closeSync, openSync, writeSync } from 'node:fs';

const elements = (shape) => shape.reduce((a, b) => a * b, 1);

/**
 * The products that end a block are smaller, as GPT-2 begins training: by √64 in 32 layers, each with two of them. Otherwise a deep network of
 * random weights makes large differences out of small ones, as no trained one does.
 */
const ENDS_BLOCK = /\.(?:o_proj|down_proj)\.weight$/;
const SMALLER = 8;

/**
 * Writes a safetensors file: ones for the weights of norms, otherwise numbers between ±0.03 from a fixed sequence, repeated in
 * each weight, from another place on.
 * @param {[string, number[]][]} weights names and shapes
 * @param {'F16' | 'BF16'} dtype
 */
export function writeHalves(path, weights, dtype = 'F16') {
  const { ones, random, small } = (pieces[dtype] ??= piecesOf(dtype === 'F16' ? half : bfloat16));
  let end = 0;
  const header = {};
  for (const [name, shape] of weights) {
    const bytes = 2 * elements(shape);
    header[name] = { dtype, shape, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  const file = openSync(path, 'w');
  writeSync(file, size);
  writeSync(file, text);
  weights.forEach(([name, shape], at) => {
    const piece = /norm\w*\.weight$/.test(name) ? ones : ENDS_BLOCK.test(name) ? small : random;
    let from = (at * 2 * 65537) % piece.length;
    for (let left = 2 * elements(shape); left > 0;) {
      const length = Math.min(left, piece.length - from);
      writeSync(file, piece, from, length);
      left -= length;
      from = 0;
    }
  });
  closeSync(file);
}

const pieces = {};

function piecesOf(bits) {
  const [random, small] = [0, 0].map(() => new Uint16Array(2 ** 20 + 13));
  let state = 1;
  for (let i = 0; i < random.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const value = 0.06 * ((state >>> 8) / 2 ** 24 - 0.5);
    random[i] = bits(value);
    small[i] = bits(value / SMALLER);
  }
  const ones = new Uint16Array(random.length).fill(bits(1));
  return { ones: bytes(ones), random: bytes(random), small: bytes(small) };
}

const bytes = (values) => Buffer.from(values.buffer);

/** The upper half of a float32. */
const bfloat16 = (value) => new Uint32Array(Float32Array.of(value).buffer)[0] >>> 16;

/** A number of at most 1 in float16, rounded toward zero. */
function half(value) {
  const sign = value < 0 ? 0x8000 : 0;
  const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(value) || 1e-9)));
  const fraction = Math.floor((Math.abs(value) / 2 ** exponent) * 1024);
  // Below 2⁻¹⁴, numbers have no leading one.
  return sign | (fraction < 1024 ? fraction : ((exponent + 15) << 10) | (fraction - 1024));
}
