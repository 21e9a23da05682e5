import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { attrInt } from '../../../graph/attributes';
import { DType } from '../../../graph/dtype';
import type { Op, OpTable, Tf } from '../op';
import { aroundAxis, axisOf, gatherMiddle } from './take';

/**
 * Along the last of three axes: elsewhere the gradient of tfjs 4.22 has its axes swapped. Sums from the end by
 * reversing, since its WebGPU kernel adds incorrectly in that direction.
 */
function sumAlong(tf: Tf, x: TfTensor, exclusive: boolean, reverse: boolean): TfTensor {
  if (!reverse) return tf.cumsum(x, 2, exclusive);
  return tf.reverse(tf.cumsum(tf.reverse(x, 2), 2, exclusive), 2);
}

const cumSum: Op = (c) => {
  const { tf } = c;
  const dims = c.dims(0);
  const axis = axisOf(c, c.ints(1)[0]);
  const exclusive = attrInt(c.node, 'exclusive', 0) === 1;
  const reverse = attrInt(c.node, 'reverse', 0) === 1;
  const x = c.tensor(0);
  if (x.size === 0) return [c.inputs[0]!];
  const last = tf.transpose(tf.reshape(x, aroundAxis(dims, axis)), [0, 2, 1]);
  const run = tf.customGrad((...args) => ({
    value: sumAlong(tf, args[0] as TfTensor, exclusive, reverse),
    gradFunc: (dy: TfTensor) => sumAlong(tf, dy, exclusive, !reverse),
  }));
  return [c.out(tf.reshape(tf.transpose(run(last), [0, 2, 1]), dims))];
};

/** Gathers the values by the sorted indices, since tfjs has no gradient for its sort. */
const topK: Op = (c) => {
  const { tf } = c;
  const dims = c.dims(0);
  const axis = axisOf(c, attrInt(c.node, 'axis', -1));
  const [k] = c.ints(1);
  const [before, size, after] = aroundAxis(dims, axis);
  const rows = tf.reshape(tf.transpose(tf.reshape(c.tensor(0), [before, size, after]), [0, 2, 1]), [
    before * after,
    size,
  ]);
  const sorted = attrInt(c.node, 'largest', 1) ? rows : tf.neg(rows);
  const found = tf.cast(tf.topk(sorted, k, true).indices, 'int32');
  const first = tf.mul(tf.range(0, before * after, 1, 'int32'), tf.scalar(size, 'int32'));
  const places = tf.reshape(tf.add(found, tf.reshape(first, [-1, 1])), [-1]);
  const values = gatherMiddle(tf, tf.reshape(rows, [1, -1, 1]), places);
  const out = dims.map((d, i) => (i === axis ? k : d));
  const back = (t: typeof values) =>
    tf.reshape(tf.transpose(tf.reshape(t, [before, after, k]), [0, 2, 1]), out);
  return [c.out(back(values)), c.out(back(found), DType.int64)];
};

export const ordered: OpTable = { CumSum: cumSum, TopK: topK };
