import type { Tensor, Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { attrInt } from '../../../graph/attributes';
import { DType, isFloat } from '../../../graph/dtype';
import { broadcastDims } from '../host/layout';
import type { Op, OpContext, OpTable, Tf, Value } from '../op';
import { tfType } from '../value';
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

/** Kernels compare numbers, not bools. */
const number = (tf: Tf, t: TfTensor): TfTensor => (t.dtype === 'bool' ? tf.cast(t, 'int32') : t);

const compare =
  (f: (tf: Tf, a: TfTensor, b: TfTensor) => TfTensor): Op =>
  (c) => {
    const [a, b] = [number(c.tf, c.tensor(0)), number(c.tf, c.tensor(1))];
    return [c.out(f(c.tf, a, b), DType.bool)];
  };

const logic =
  (f: (tf: Tf, a: TfTensor, b: TfTensor) => TfTensor): Op =>
  (c) => [c.out(f(c.tf, c.tensor(0), c.tensor(1)), DType.bool)];

/** Elementwise selection. Inputs are broadcast here: tfjs' own broadcasting has no gradient beyond rank 4. */
const where: Op = (c) => {
  const { tf } = c;
  const dims = broadcastDims(c.dims(0), c.dims(1), c.dims(2));
  const [condition, a, b] = [0, 1, 2].map((i) => c.tensor(i));
  const type = a.dtype === 'bool' ? 'int32' : a.dtype;
  const all = (t: TfTensor) => expanded(tf, t, dims);
  const chosen = tf.where(all(condition), all(tf.cast(a, type)), all(tf.cast(b, type)));
  return [c.out(tf.cast(chosen, a.dtype), c.dtype(1))];
};

const isInf: Op = (c) => {
  const { tf } = c;
  const x = c.tensor(0);
  const infinite = tf.isInf(x);
  const zero = tf.scalar(0);
  if (!attrInt(c.node, 'detect_positive', 1))
    return [c.out(tf.logicalAnd(infinite, tf.less(x, zero)), DType.bool)];
  if (!attrInt(c.node, 'detect_negative', 1))
    return [c.out(tf.logicalAnd(infinite, tf.greater(x, zero)), DType.bool)];
  return [c.out(infinite, DType.bool)];
};

export const comparisons: OpTable = {
  Equal: compare((tf, a, b) => tf.equal(a, b)),
  Less: compare((tf, a, b) => tf.less(a, b)),
  LessOrEqual: compare((tf, a, b) => tf.lessEqual(a, b)),
  Greater: compare((tf, a, b) => tf.greater(a, b)),
  GreaterOrEqual: compare((tf, a, b) => tf.greaterEqual(a, b)),
  And: logic((tf, a, b) => tf.logicalAnd(a, b)),
  Or: logic((tf, a, b) => tf.logicalOr(a, b)),
  Xor: compare((tf, a, b) => tf.notEqual(a, b)),
  Not: (c) => [c.out(c.tf.logicalNot(c.tensor(0)), DType.bool)],
  IsNaN: (c) => [c.out(c.tf.isNaN(c.tensor(0)), DType.bool)],
  IsInf: isInf,
  Where: where,
};

/** Types that TensorFlow.js stores the same way, such as float and float16, differ in name only. */
function castTo(c: OpContext, dtype: number): Value[] {
  const x: Tensor = c.tensor(0);
  const type = tfType(dtype);
  if (x.dtype === type) return [c.out(x, dtype)];
  return [c.out(type === 'bool' ? c.tf.notEqual(x, c.tf.scalar(0, x.dtype)) : c.tf.cast(x, type), dtype)];
}

export const cast: OpTable = {
  Cast: (c) => castTo(c, attrInt(c.node, 'to', DType.float)),
  CastLike: (c) => castTo(c, c.dtype(1)),
};
