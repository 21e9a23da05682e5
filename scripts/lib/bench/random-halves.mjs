import { closeSync, openSync, writeSync } from 'node:fs';

const elements = (shape) => shape.reduce((a, b) => a * b, 1);

/**
 * Writes a safetensors file of float16: ones for the weights of norms, otherwise numbers between ±0.03 from a fixed sequence.
 * @param {[string, number[]][]} weights names and shapes
 */
export function writeHalves(path, weights) {
  let end = 0;
  const header = {};
  for (const [name, shape] of weights) {
    const bytes = 2 * elements(shape);
    header[name] = { dtype: 'F16', shape, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  const file = openSync(path, 'w');
  writeSync(file, size);
  writeSync(file, text);
  weights.forEach(([name, shape], at) => {
    const piece = /norm\w*\.weight$/.test(name) ? ONES : RANDOM;
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

const LENGTH = 2 ** 20 + 13;
const ONES = Buffer.from(new Uint16Array(LENGTH).fill(0x3c00).buffer);
const RANDOM = randomHalves();

function randomHalves() {
  const halves = new Uint16Array(LENGTH);
  let state = 1;
  for (let i = 0; i < LENGTH; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const value = (state >>> 8) / 2 ** 24 - 0.5;
    halves[i] = half(0.06 * value);
  }
  return Buffer.from(halves.buffer);
}

/** A number below 1 in float16, rounded toward zero. */
function half(value) {
  const sign = value < 0 ? 0x8000 : 0;
  const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(value) || 1e-9)));
  const fraction = Math.floor((Math.abs(value) / 2 ** exponent) * 1024);
  // Below 2⁻¹⁴, numbers have no leading one.
  return sign | (fraction < 1024 ? fraction : ((exponent + 15) << 10) | (fraction - 1024));
}
