import type { Tensor } from '@tensorflow/tfjs-core';
import { attrFloat, attrInt, attrString } from '../../../graph/attributes';
import { fromFront } from '../host/layout';
import type { Op, OpContext, OpTable, Tf } from '../op';

const activation =
  (f: (tf: Tf, x: Tensor, c: OpContext) => Tensor): Op =>
  (c) => [c.out(f(c.tf, c.tensor(0), c))];

/** max(0, min(1, αx + β)). */
const hardSigmoid = (tf: Tf, x: Tensor, alpha: number, beta: number): Tensor =>
  tf.clipByValue(tf.add(tf.mul(x, alpha), beta), 0, 1);

/** α(eˣ − 1) below zero, with an exponent that cannot overflow above it. */
const exponential = (tf: Tf, x: Tensor, alpha: number): Tensor =>
  tf.mul(tf.expm1(tf.minimum(x, tf.zerosLike(x))), alpha);

/** x·Φ(x), or its tanh form: there x·sigmoid(2√(2/π)(x + 0.044715x³)). */
function gelu(tf: Tf, x: Tensor, c: OpContext): Tensor {
  if (attrString(c.node, 'approximate', 'none') === 'none')
    return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
  const a = 2 * Math.sqrt(2 / Math.PI);
  const inner = tf.add(tf.mul(tf.square(x), 0.044715 * a), a);
  return tf.mul(x, tf.sigmoid(tf.mul(x, inner)));
}

export const activations: OpTable = {
  Relu: activation((tf, x) => tf.relu(x)),
  LeakyRelu: activation((tf, x, c) => tf.leakyRelu(x, attrFloat(c.node, 'alpha', 0.01))),
  // With products, which broadcast: tfjs' own wasm kernel does not.
  PRelu: activation((tf, x, c) => tf.sub(tf.relu(x), tf.mul(c.tensor(1), tf.relu(tf.neg(x))))),
  // With step, whose gradient is 0; comparisons have none.
  ThresholdedRelu: activation((tf, x, c) => tf.mul(x, tf.step(tf.sub(x, attrFloat(c.node, 'alpha', 1))))),
  Shrink: activation((tf, x, c) => {
    const [lambd, bias] = [attrFloat(c.node, 'lambd', 0.5), attrFloat(c.node, 'bias', 0)];
    const above = tf.mul(tf.sub(x, bias), tf.step(tf.sub(x, lambd)));
    return tf.add(above, tf.mul(tf.add(x, bias), tf.step(tf.sub(-lambd, x))));
  }),
  Elu: activation((tf, x, c) => tf.add(tf.relu(x), exponential(tf, x, attrFloat(c.node, 'alpha', 1)))),
  Celu: activation((tf, x, c) => {
    const alpha = attrFloat(c.node, 'alpha', 1);
    return tf.add(tf.relu(x), exponential(tf, tf.div(x, alpha), alpha));
  }),
  Selu: activation((tf, x, c) => {
    const alpha = attrFloat(c.node, 'alpha', 1.6732632);
    return tf.mul(tf.add(tf.relu(x), exponential(tf, x, alpha)), attrFloat(c.node, 'gamma', 1.050701));
  }),
  Sigmoid: activation((tf, x) => tf.sigmoid(x)),
  HardSigmoid: activation((tf, x, c) =>
    hardSigmoid(tf, x, attrFloat(c.node, 'alpha', 0.2), attrFloat(c.node, 'beta', 0.5)),
  ),
  HardSwish: activation((tf, x) => tf.mul(x, hardSigmoid(tf, x, 1 / 6, 0.5))),
  Tanh: activation((tf, x) => tf.tanh(x)),
  Softplus: activation((tf, x) => tf.softplus(x)),
  Softsign: activation((tf, x) => tf.div(x, tf.add(tf.abs(x), 1))),
  Mish: activation((tf, x) => tf.mul(x, tf.tanh(tf.softplus(x)))),
  Erf: activation((tf, x) => tf.erf(x)),
  Gelu: activation(gelu),
};

/** Over one axis; tfjs' kernels require the last. */
function overAxis(c: OpContext, f: (tf: Tf, x: Tensor) => Tensor) {
  const { tf } = c;
  const x = c.tensor(0);
  const axis = fromFront(attrInt(c.node, 'axis', -1), x.rank);
  if (axis === x.rank - 1) return [c.out(f(tf, x))];
  const order = x.shape.map((_, i) => (i === axis ? x.rank - 1 : i === x.rank - 1 ? axis : i));
  return [c.out(tf.transpose(f(tf, tf.transpose(x, order)), order))];
}

export const softmax: OpTable = {
  Softmax: (c) => overAxis(c, (tf, x) => tf.softmax(x)),
  LogSoftmax: (c) => overAxis(c, (tf, x) => tf.logSoftmax(x)),
};
