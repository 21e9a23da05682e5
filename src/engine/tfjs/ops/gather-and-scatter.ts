import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { AuroraError } from '../../../base/errors';
import { attrInt, attrString } from '../../../graph/attributes';
import { elementCount } from '../../../graph/model';
import { fromFront, offsets, stridesOf } from '../host/layout';
import { hostTensor, isHost, numbersOf, pick } from '../host/host-values';
import type { Op, OpContext, OpTable, Tf } from '../op';
import { aroundAxis, axisOf, fromFrontTensor, gatherMiddle, scatterRows, take, view } from './take';

const gather: Op = (c) => {
  const dims = c.dims(0);
  const axis = axisOf(c, attrInt(c.node, 'axis', 0));
  const indices = c.dims(1);
  const out = [...dims.slice(0, axis), ...indices, ...dims.slice(axis + 1)];
  const v = c.inputs[0]!;
  if (isHost(c.inputs[1]) && (isHost(v) || elementCount(indices) === 1)) {
    const places = c.ints(1).map((i) => fromFront(i, dims[axis]));
    return [view(c, take(c, v, axis, places), out)];
  }
  const { tf } = c;
  const flat = tf.reshape(tf.cast(c.tensor(1), 'int32'), [-1]);
  const x = tf.reshape(c.tensor(0), aroundAxis(dims, axis));
  return [c.out(tf.reshape(gatherMiddle(tf, x, fromFrontTensor(tf, flat, dims[axis])), out))];
};

/** For elements indexed along one axis: the offset of each from all other axes of x. */
function elementPlaces(dims: readonly number[], indices: readonly number[], axis: number) {
  const strides = stridesOf(dims);
  const others = offsets(
    indices,
    strides.map((s, i) => (i === axis ? 0 : s)),
  );
  return { others, stride: strides[axis] };
}

/** Flat positions (int32, one axis) of the elements that GatherElements and ScatterElements index by input 1. */
function elementPlacesTensor(c: OpContext, axis: number): TfTensor {
  const { tf } = c;
  const { others, stride } = elementPlaces(c.dims(0), c.dims(1), axis);
  const along = fromFrontTensor(tf, tf.cast(tf.reshape(c.tensor(1), [-1]), 'int32'), c.dims(0)[axis]);
  return tf.add(tf.mul(along, tf.scalar(stride, 'int32')), tf.tensor1d(others, 'int32'));
}

const gatherElements: Op = (c) => {
  const dims = c.dims(0);
  const axis = axisOf(c, attrInt(c.node, 'axis', 0));
  const v = c.inputs[0]!;
  if (isHost(v) && isHost(c.inputs[1])) {
    const { others, stride } = elementPlaces(dims, c.dims(1), axis);
    const along = numbersOf(hostTensor(c, 1)).map((i) => fromFront(i, dims[axis]));
    return [
      pick(
        v.tensor,
        c.dims(1),
        others.map((o, i) => o + along[i] * stride),
      ),
    ];
  }
  const { tf } = c;
  const line = tf.reshape(c.tensor(0), [1, elementCount(dims), 1]);
  return [c.out(tf.reshape(gatherMiddle(tf, line, elementPlacesTensor(c, axis)), c.dims(1)))];
};

export interface Rows {
  /** Position of each row among the rows of x, int32, one axis. */
  places: TfTensor;
  /** Number of rows of x, and of values per row. */
  count: number;
  width: number;
}

/** The rows of x indexed by tuples along the last axis of input 1, by Horner's rule over the indexed sizes. */
function rowPlaces(c: OpContext, batch = 0): Rows {
  const { tf } = c;
  const dims = c.dims(0);
  const indexDims = c.dims(1);
  const depth = indexDims.at(-1)!;
  const tuples = elementCount(indexDims.slice(0, -1));
  const flat = tf.reshape(tf.cast(c.tensor(1), 'int32'), [tuples, depth]);
  const each = tuples / elementCount(dims.slice(0, batch));
  // The tuples of one batch index only rows of that batch.
  let places: TfTensor = tf.tensor1d(
    Int32Array.from({ length: tuples }, (_, i) => Math.floor(i / each)),
    'int32',
  );
  for (let k = 0; k < depth; k++) {
    const size = dims[batch + k];
    const part = fromFrontTensor(tf, column(tf, flat, k), size);
    places = tf.add(tf.mul(places, tf.scalar(size, 'int32')), part);
  }
  const rest = dims.slice(batch + depth);
  return { places, count: elementCount(dims.slice(0, batch + depth)), width: elementCount(rest) };
}

const column = (tf: Tf, t: TfTensor, k: number): TfTensor =>
  tf.reshape(tf.slice(t, [0, k], [t.shape[0], 1]), [-1]);

const gatherNd: Op = (c) => {
  const { tf } = c;
  const batch = attrInt(c.node, 'batch_dims', 0);
  const { places, count, width } = rowPlaces(c, batch);
  const rest = c.dims(0).slice(batch + c.dims(1).at(-1)!);
  const rows = gatherMiddle(tf, tf.reshape(c.tensor(0), [1, count, width]), places);
  return [c.out(tf.reshape(rows, [...c.dims(1).slice(0, -1), ...rest]))];
};

export const gathers: OpTable = { Gather: gather, GatherElements: gatherElements, GatherND: gatherNd };

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
