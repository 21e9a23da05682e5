import type { Tensor } from '@tensorflow/tfjs-core';
import { attrFloat, attrInt } from '../../../graph/attributes';
import { DType } from '../../../graph/dtype';
import { AuroraError } from '../../../base/errors';
import { describeNode } from '../context';
import { fromFront } from '../host/layout';
import type { Op, OpContext, OpTable, Tf } from '../op';

/** x minus its mean over `axes`, the mean, and 1/√(variance + ε). */
function standardize(tf: Tf, x: Tensor, axes: number[], epsilon: number) {
  const mean = tf.mean(x, axes, true);
  const centered = tf.sub(x, mean);
  const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centered), axes, true), epsilon));
  return { normal: tf.mul(centered, inverse), mean, inverse };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

const layerNormalization: Op = (c) => {
  const { tf } = c;
  const x = c.tensor(0);
  const axes = range(fromFront(attrInt(c.node, 'axis', -1), x.rank), x.rank);
  const { normal, mean, inverse } = standardize(tf, x, axes, attrFloat(c.node, 'epsilon', 1e-5));
  const scaled = tf.mul(normal, c.tensor(1));
  const y = c.out(c.has(2) ? tf.add(scaled, c.tensor(2)) : scaled);
  return [y, c.out(mean, DType.float), c.out(inverse, DType.float)].slice(0, c.node.outputs.length);
};

/** A vector with one value per channel, for x (N, C, …). */
const perChannel = (c: OpContext, i: number): Tensor =>
  c.tf.reshape(c.tensor(i), [
    1,
    -1,
    ...c
      .dims(0)
      .slice(2)
      .map(() => 1),
  ]);

const instanceNormalization: Op = (c) => {
  const { tf } = c;
  const x = c.tensor(0);
  const { normal } = standardize(tf, x, range(2, x.rank), attrFloat(c.node, 'epsilon', 1e-5));
  return [c.out(tf.add(tf.mul(normal, perChannel(c, 1)), perChannel(c, 2)))];
};

/** With its running statistics: inputs x, scale, bias, mean, variance. */
const batchNormalization: Op = (c) => {
  const { tf } = c;
  if (attrInt(c.node, 'training_mode', 0))
    throw new AuroraError(
      'operator',
      `In training mode ${describeNode(c.node)} would change with every batch.`,
      'Export the model in evaluation mode.',
    );
  const root = tf.sqrt(tf.add(perChannel(c, 4), attrFloat(c.node, 'epsilon', 1e-5)));
  const factor = tf.div(perChannel(c, 1), root);
  return [c.out(tf.add(tf.mul(tf.sub(c.tensor(0), perChannel(c, 3)), factor), perChannel(c, 2)))];
};

/** Channels in groups, each normalized over itself and all positions; scale and bias have one value per group. */
const groupNormalization: Op = (c) => {
  const { tf } = c;
  const x = c.tensor(0);
  const groups = attrInt(c.node, 'num_groups', 1);
  const grouped = tf.reshape(x, [x.shape[0], groups, -1]);
  const { normal } = standardize(tf, grouped, [2], attrFloat(c.node, 'epsilon', 1e-5));
  const each = (i: number) => tf.reshape(c.tensor(i), [1, groups, 1]);
  return [c.out(tf.reshape(tf.add(tf.mul(normal, each(1)), each(2)), x.shape))];
};

const lpNormalization: Op = (c) => {
  const { tf } = c;
  const x = c.tensor(0);
  const axis = fromFront(attrInt(c.node, 'axis', -1), x.rank);
  const norm =
    attrInt(c.node, 'p', 2) === 1 ? tf.sum(tf.abs(x), axis, true) : tf.sqrt(tf.sum(tf.square(x), axis, true));
  return [c.out(tf.div(x, norm))];
};

export const normalization: OpTable = {
  LayerNormalization: layerNormalization,
  InstanceNormalization: instanceNormalization,
  BatchNormalization: batchNormalization,
  GroupNormalization: groupNormalization,
  LpNormalization: lpNormalization,
};
