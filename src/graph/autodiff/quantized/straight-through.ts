import { toAttribute } from '../../attributes';
import type { Rule } from '../rule';
import { dequantizeAfter } from './dequantized-again';

/**
 * Rounding is differentiated as if it was not there (Bengio et al., arXiv 1308.3432). The gradient of an integer is that of
 * the number it stands for.
 */
const dequantizeLinear: Rule = (c) => [c.dy[0]];

/** Values beyond the range, which rounding moves by more than half a step, get no gradient, as in PyTorch. */
const quantizeLinear: Rule = (c) => {
  const [x, scale, zero = ''] = c.x;
  const { attributes } = c.node;
  const of = new Map([...attributes].filter(([name]) => name === 'axis' || name === 'block_size'));
  if (of.has('block_size') || c.shape(scale).some((size) => size !== 1)) return [c.dy[0]];
  const number = c.op('DequantizeLinear', [c.y[0], scale, ...(zero ? [zero] : [])], Object.fromEntries(of));
  const moved = c.op('Abs', [c.op('Sub', [x, number])]);
  // Rounding errors of the comparison itself.
  const step = c.op('Mul', [scale, c.scalar(0.501, scale)]);
  return [c.where(c.op('LessOrEqual', [moved, step]), c.dy[0]!, x)];
};

/** dA = dY · Wᵀ with the dequantized W (in, out). */
const dynamicQuantizeMatMul: Rule = (c) => {
  if (!c.needs(0)) return [];
  const [a, weight, scale, zero = ''] = c.x;
  const outFeatures = c.extents.dim(weight, 1);
  const dy = c.rank(a) === 2 ? c.dy[0]! : c.op('Reshape', [c.dy[0]!, c.extents.vector([-1, outFeatures])]);
  const inputs = zero ? [weight, scale, zero] : [weight, scale];
  const w = dequantizeAfter(c, inputs, new Map([['axis', toAttribute(1)]]), dy);
  const da = c.op('Gemm', [dy, w], { transB: 1 });
  return [c.rank(a) === 2 ? da : c.reshape(da, a)];
};

export const straightThrough: Record<string, Rule> = {
  DequantizeLinear: dequantizeLinear,
  QuantizeLinear: quantizeLinear,
  'com.microsoft.DynamicQuantizeMatMul': dynamicQuantizeMatMul,
};
