import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { attrInt } from '../../../graph/attributes';
import { elementCount } from '../../../graph/model';
import type { Op, OpTable } from '../op';
import { patches, windowsOf } from './windows';

/**
 * Convolution over any number of spatial axes as one product over gathered patches: tfjs' own have no gradient on wasm,
 * and none with groups.
 */
const conv: Op = (c) => {
  const { tf } = c;
  const [batch, channels] = c.dims(0);
  const [filters, , ...kernel] = c.dims(1);
  const groups = attrInt(c.node, 'group', 1);
  const w = windowsOf(c, kernel);
  const [inside, windows] = [elementCount(kernel), elementCount(w.out)];
  const depth = channels / groups;
  const columns = tf.transpose(
    tf.reshape(patches(c, w, 0), [batch, groups, depth * inside, windows]),
    [1, 2, 0, 3],
  );
  const product = tf.matMul(
    tf.reshape(c.tensor(1), [groups, filters / groups, depth * inside]),
    tf.reshape(columns, [groups, depth * inside, batch * windows]),
  );
  let y: TfTensor = tf.reshape(product, [filters, batch, windows]);
  if (c.has(2)) y = tf.add(y, tf.reshape(c.tensor(2), [filters, 1, 1]));
  return [c.out(tf.reshape(tf.transpose(y, [1, 0, 2]), [batch, filters, ...w.out]))];
};

export const convolutions: OpTable = { Conv: conv };
