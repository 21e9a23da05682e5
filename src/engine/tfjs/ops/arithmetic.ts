import type { Tensor } from '@tensorflow/tfjs-core';
import { attrInt } from '../../../graph/attributes';
import { isFloat } from '../../../graph/dtype';
import { broadcastDims } from '../host/layout';
import type { Op, OpContext, OpTable, Tf } from '../op';
import { expanded } from './shape';

const unary =
  (f: (tf: Tf) => (x: Tensor) => Tensor): Op =>
  (c) => [c.out(f(c.tf)(c.tensor(0)))];

const binary =
  (f: (tf: Tf, a: Tensor, b: Tensor, c: OpContext) => Tensor): Op =>
  (c) => [c.out(f(c.tf, c.tensor(0), c.tensor(1), c))];

/** Any number of operands, broadcast together. */
function operands(c: OpContext): Tensor[] {
  const dims = broadcastDims(...c.inputs.map((_, i) => c.dims(i)));
  return c.inputs.map((_, i) => expanded(c.tf, c.tensor(i), dims));
}

/** Left to right. */
const folded =
  (f: (tf: Tf) => (a: Tensor, b: Tensor) => Tensor): Op =>
  (c) => [c.out(operands(c).reduce(f(c.tf)))];

/** Integer division truncates towards zero; tfjs' own rounds down. */
function divide(tf: Tf, a: Tensor, b: Tensor, c: OpContext): Tensor {
  if (isFloat(c.dtype(0))) return tf.div(a, b);
  const sign = tf.mul(tf.sign(a), tf.sign(b));
  return tf.mul(sign, tf.floorDiv(tf.abs(a), tf.abs(b)));
}

/** Python's remainder, or C's if `fmod` is set. */
function remainder(tf: Tf, a: Tensor, b: Tensor, c: OpContext): Tensor {
  const dims = broadcastDims(c.dims(0), c.dims(1));
  const [x, y] = [expanded(tf, a, dims), expanded(tf, b, dims)];
  if (!attrInt(c.node, 'fmod', 0)) return tf.mod(x, y);
  return tf.mul(tf.sign(x), tf.mod(tf.abs(x), tf.abs(y)));
}

/**
 * The exponent may have a different type than the base. Small integer powers are products: exact for negative bases.
 */
const power: Op = (c) => {
  const { tf } = c;
  const base = c.tensor(0);
  const exponent = c.inputs[1]!;
  const p =
    exponent.on === 'host' && exponent.tensor.data.length === 1 ? Number(exponent.tensor.data[0]) : NaN;
  if (
    isFloat(c.dtype(0)) &&
    isFloat(c.dtype(1)) &&
    broadcastDims(c.dims(0), c.dims(1)).length === base.rank
  ) {
    if (p === 2) return [c.out(tf.square(base))];
    if (p === 3) return [c.out(tf.mul(tf.square(base), base))];
    if (p === 0.5) return [c.out(tf.sqrt(base))];
  }
  return [c.out(tf.pow(base, tf.cast(c.tensor(1), base.dtype)))];
};

/** Bounds may be missing, known, or computed. */
const clip: Op = (c) => {
  const { tf } = c;
  let y = c.tensor(0);
  const bound = (i: number) => expanded(tf, c.tensor(i), y.shape);
  if (c.has(1)) y = tf.maximum(y, bound(1));
  if (c.has(2)) y = tf.minimum(y, bound(2));
  return [c.out(y)];
};

export const arithmetic: OpTable = {
  Add: binary((tf, a, b) => tf.add(a, b)),
  Sub: binary((tf, a, b) => tf.sub(a, b)),
  Mul: binary((tf, a, b) => tf.mul(a, b)),
  Div: binary(divide),
  Mod: binary(remainder),
  Pow: power,
  Max: folded((tf) => (a, b) => tf.maximum(a, b)),
  Min: folded((tf) => (a, b) => tf.minimum(a, b)),
  Sum: folded((tf) => (a, b) => tf.add(a, b)),
  Mean: (c) => [c.out(c.tf.div(c.tf.addN(operands(c)), c.inputs.length))],
  Clip: clip,
  Neg: unary((tf) => tf.neg),
  Abs: unary((tf) => tf.abs),
  Sign: unary((tf) => tf.sign),
  Floor: unary((tf) => tf.floor),
  Ceil: unary((tf) => tf.ceil),
  Round: unary((tf) => tf.round),
  Reciprocal: unary((tf) => (x) => tf.div(1, x)),
  Sqrt: unary((tf) => tf.sqrt),
  Exp: unary((tf) => tf.exp),
  Log: unary((tf) => tf.log),
  Sin: unary((tf) => tf.sin),
  Cos: unary((tf) => tf.cos),
  Tan: unary((tf) => tf.tan),
  Asin: unary((tf) => tf.asin),
  Acos: unary((tf) => tf.acos),
  Atan: unary((tf) => tf.atan),
  Sinh: unary((tf) => tf.sinh),
  Cosh: unary((tf) => tf.cosh),
  Asinh: unary((tf) => tf.asinh),
  Acosh: unary((tf) => tf.acosh),
  Atanh: unary((tf) => tf.atanh),
};
