import type { Tensor } from '@tensorflow/tfjs-core';
import { attrInt } from '../../../graph/attributes';
import { fromFront } from '../host/layout';
import type { OpContext, OpTable, Tf } from '../op';

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
