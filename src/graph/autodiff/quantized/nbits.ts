import { DType, isFloat } from '../../dtype';
import type { Tensor } from '../../model';
import { blockBytes, defaultZero, nbitsOf, rowsOf, type NBits } from '../../quantized/nbits';
import { zerosOf } from '../../quantized/nbits-values';
import { tensorNumbers, tensorOf } from '../../values';
import { Barrier } from '../recompute-barrier';
import type { Rule, RuleContext } from '../rule';
import { packFourBit } from '../../four-bit';

/** Of a piece of a weight in float32: the only part of it that is in memory at a time. */
const MOST_BYTES = 2 ** 25;

/**
 * dA = dY · W, piece by piece over the rows of W (out, in): the operator has no transposed form. DequantizeLinear reads the
 * same bytes as the forward operator. The product with rounded activations (accuracy_level 4) is differentiated as if
 * it was exact.
 */
const nbitsRule: Rule = (c) => {
  if (!c.needs(0)) return [];
  const w = nbitsOf(c.node, (name) => c.g.graph.initializers.get(name));
  const [a] = c.x;
  const dy = c.rank(a) === 2 ? c.dy[0]! : c.op('Reshape', [c.dy[0]!, c.g.ints([-1, w.outFeatures])]);
  const width = w.blocks * w.blockSize;
  const rows = Math.max(2, 2 * Math.floor(MOST_BYTES / (8 * width)));
  let sum: string | undefined;
  for (let from = 0; from < w.outFeatures; from += rows) {
    const to = Math.min(w.outFeatures, from + rows);
    const whole = from === 0 && to === w.outFeatures;
    const part = whole ? dy : c.op('Slice', [dy, c.g.ints([from]), c.g.ints([to]), c.g.ints([1])]);
    // Runtimes run first what needs no activation: all weights would be dequantized at once.
    const after = new Barrier(c.g, [sum ?? dy]);
    const piece = dequantized(c, w, from, to, after);
    sum = c.op('Gemm', sum === undefined ? [part, piece] : [part, piece, sum]);
    if (w.zeroPoints && isFloat(w.zeroPoints.dtype)) sum = c.op('Sub', [sum, shifted(c, w, part, from, to)]);
  }
  if (width > w.inFeatures)
    sum = c.op('Slice', [sum!, c.g.ints([0]), c.g.ints([w.inFeatures]), c.g.ints([1])]);
  return [c.rank(a) === 2 ? sum : c.reshape(sum!, a)];
};

/** Rows of the weight, as wide as its blocks; without a zero point if that is a float. */
function dequantized(c: RuleContext, w: NBits, from: number, to: number, after: Barrier): string {
  const { outFeatures, blocks, blockSize, bits } = w;
  const n = to - from;
  const data = rowsOf(w.weight, outFeatures, from, to);
  const scales = constant(c, w.scales, [n, blocks], rowsOf(w.scales, outFeatures, from, to));
  const attributes = { axis: 1, block_size: blockSize };
  const dims = [n, blocks * blockSize];
  // Before opset 25, there is no type of two bits.
  const dtype = bits === 4 ? DType.uint4 : DType.uint8;
  const values =
    bits === 2
      ? quarters(c, constant(c, w.weight, [n, blocks * blockBytes(w), 1], data), dims)
      : constant(c, { ...w.weight, dtype }, dims, data);
  const zeros = zeroPoints(c, w, from, to);
  return c.op('DequantizeLinear', [values, after.pass(scales), zeros], attributes);
}

/** Four numbers from each byte (…, 1). */
function quarters(c: RuleContext, bytes: string, dims: number[]): string {
  const shifts = c.g.constant(DType.uint8, [4], [0, 2, 4, 6]);
  const shifted = c.op('BitShift', [bytes, shifts], { direction: 'RIGHT' });
  const low = c.op('BitwiseAnd', [shifted, c.g.constant(DType.uint8, [], [3])]);
  return c.op('Reshape', [low, c.g.ints(dims)]);
}

/** In the form of DequantizeLinear (n, blocks): without space between rows, and always given, since its default is 0. */
function zeroPoints(c: RuleContext, w: NBits, from: number, to: number): string {
  const { outFeatures, blocks, bits, zeroPoints: own } = w;
  const dims = [to - from, blocks];
  const dtype = bits === 4 ? DType.uint4 : DType.uint8;
  if (own && !isFloat(own.dtype)) {
    const rows = { ...own, data: rowsOf(own, outFeatures, from, to) };
    if (bits === 8 || (bits === 4 && blocks % 2 === 0))
      return constant(c, { ...own, dtype }, dims, rows.data);
    return constant(c, { ...own, dtype }, dims, packed(zerosOf(w, rows), bits));
  }
  const value = own ? 0 : defaultZero(w);
  const name = `/grad/zero.${value}.${bits}.${dims.join('x')}`;
  if (!c.g.graph.initializers.has(name))
    c.g.addInitializer({
      name,
      dtype,
      dims,
      data: packed(new Array<number>(dims[0] * blocks).fill(value), bits),
    });
  return name;
}

const packed = (values: readonly number[], bits: number): Uint8Array =>
  bits === 4 ? packFourBit(values) : Uint8Array.from(values);

/** dY · (zero point · scale), once for each column of a block. */
function shifted(c: RuleContext, w: NBits, dy: string, from: number, to: number): string {
  const { outFeatures, blocks, blockSize, scales } = w;
  const dims = [to - from, blocks];
  const numbers = (t: Tensor) => tensorNumbers({ ...t, data: rowsOf(t, outFeatures, from, to) });
  const zeros = numbers(w.zeroPoints!);
  const products = numbers(scales).map((s, i) => s * zeros[i]);
  const name = c.g.addInitializer(tensorOf(c.g.fresh('zeros'), scales.dtype, dims, products));
  const perBlock = c.op('Unsqueeze', [c.op('MatMul', [dy, name]), c.g.ints([2])]);
  const spread = c.op('Expand', [perBlock, c.g.ints([1, 1, blockSize])]);
  return c.op('Reshape', [spread, c.g.ints([-1, blocks * blockSize])]);
}

/** A part of a constant as another: the same bytes, which are not copied. */
function constant(c: RuleContext, of: Tensor, dims: number[], data: Tensor['data']): string {
  return c.g.addInitializer({ name: c.g.fresh(of.name), dtype: of.dtype, dims, data });
}

export const nbits: Record<string, Rule> = { 'com.microsoft.MatMulNBits': nbitsRule };
