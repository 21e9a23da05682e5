import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { attrInt, attrString } from '../../../graph/attributes';
import { elementCount } from '../../../graph/model';
import { AuroraError } from '../../../base/errors';
import type { Op, OpContext, OpTable, Tf } from '../op';
import { elementPlacesTensor, rowPlaces } from './gather';
import { axisOf, scatterRows } from './take';

/** Writes rows into x (count, width), or adds them. */
function put(c: OpContext, x: TfTensor, places: TfTensor, rows: TfTensor): TfTensor {
  const { tf } = c;
  const reduction = attrString(c.node, 'reduction', 'none');
  if (!['none', 'add'].includes(reduction))
    throw new AuroraError(
      'operator',
      `The TensorFlow.js engine does not support the reduction "${reduction}" of ${c.node.opType} (node ${c.node.name || c.node.outputs[0]}).`,
      'Use the ONNX Runtime engine for this model.',
    );
  if (rows.size === 0) return x;
  const added = scatterRows(tf, places, rows, x.shape[0]);
  if (reduction === 'add') return tf.add(x, added);
  return tf.where(touched(tf, places, x), added, x);
}

/** True for the elements of x that lie in one of the rows. */
function touched(tf: Tf, places: TfTensor, x: TfTensor): TfTensor {
  const ones = tf.ones([places.size, x.shape[1]!], 'int32');
  return tf.greater(scatterRows(tf, places, ones, x.shape[0]), tf.scalar(0, 'int32'));
}

/** A bool is scattered as an integer: not every kernel accepts bools. */
function scattered(c: OpContext, count: number, width: number, places: TfTensor) {
  const { tf } = c;
  const [x, updates] = [c.tensor(0), c.tensor(2)];
  const type = x.dtype === 'bool' ? 'int32' : x.dtype;
  const rows = tf.reshape(tf.cast(updates, type), [places.size, width]);
  const out = put(c, tf.reshape(tf.cast(x, type), [count, width]), places, rows);
  return [c.out(tf.reshape(tf.cast(out, x.dtype), c.dims(0)))];
}

const scatterElements: Op = (c) => {
  const axis = axisOf(c, attrInt(c.node, 'axis', 0));
  return scattered(c, elementCount(c.dims(0)), 1, elementPlacesTensor(c, axis));
};

const scatterNd: Op = (c) => {
  const { places, count, width } = rowPlaces(c);
  return scattered(c, count, width, places);
};

export const scatters: OpTable = { ScatterElements: scatterElements, ScatterND: scatterNd };
