import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { attrInt } from '../../../graph/attributes';
import { DType } from '../../../graph/dtype';
import { broadcastDims } from '../host/layout';
import type { Op, OpTable, Tf } from '../op';
import { expanded } from './shape';

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
