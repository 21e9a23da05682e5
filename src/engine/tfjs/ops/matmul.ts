import type { Tensor } from '@tensorflow/tfjs-core';
import { attrFloat, attrInt } from '../../../graph/attributes';
import { elementCount } from '../../../graph/model';
import { broadcastDims } from '../host/layout';
import type { Op, OpTable, Tf } from '../op';
import { expanded } from './shape';

/**
 * NumPy's product. Vectors become matrices first. Batch axes are broadcast here, since the gradient of tfjs' matMul
 * ignores broadcasting. Exception: one matrix on the right, for which the left's axes are rows.
 */
export function product(tf: Tf, a: Tensor, b: Tensor): Tensor {
  if (a.rank === 1) return tf.squeeze(product(tf, tf.expandDims(a, 0), b), [Math.max(b.rank, 2) - 2]);
  if (b.rank === 1) return tf.squeeze(product(tf, a, tf.expandDims(b, 1)), [a.rank - 1]);
  const rows = a.shape.slice(0, -1);
  const inner = a.shape[a.rank - 1];
  const columns = b.shape[b.rank - 1];
  if (b.rank === 2) {
    const flat = tf.matMul(tf.reshape(a, [elementCount(rows), inner]), b);
    return tf.reshape(flat, [...rows, columns]);
  }
  const batch = broadcastDims(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const left = expanded(tf, a, [...batch, ...a.shape.slice(-2)]);
  const right = expanded(tf, b, [...batch, ...b.shape.slice(-2)]);
  const stacked = tf.matMul(
    tf.reshape(left, [elementCount(batch), left.shape[left.rank - 2], inner]),
    tf.reshape(right, [elementCount(batch), inner, columns]),
  );
  return tf.reshape(stacked, [...batch, left.shape[left.rank - 2], columns]);
}

/** α·A′·B′ + β·C, where ′ is a transpose if the attribute is set. */
const gemm: Op = (c) => {
  const { tf } = c;
  const transpose = (name: string) => attrInt(c.node, name, 0) === 1;
  const scaled = (x: Tensor, by: number) => (by === 1 ? x : tf.mul(x, by));
  const alpha = attrFloat(c.node, 'alpha', 1);
  const y = scaled(tf.matMul(c.tensor(0), c.tensor(1), transpose('transA'), transpose('transB')), alpha);
  return [c.out(c.has(2) ? tf.add(y, scaled(c.tensor(2), attrFloat(c.node, 'beta', 1))) : y)];
};

export const matmul: OpTable = {
  MatMul: (c) => [c.out(product(c.tf, c.tensor(0), c.tensor(1)))],
  Gemm: gemm,
};
