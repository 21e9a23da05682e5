import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { attrInt } from '../../../graph/attributes';
import { DType } from '../../../graph/dtype';
import { elementCount } from '../../../graph/model';
import { tensorValues } from '../../../graph/values';
import { AuroraError } from '../../../base/errors';
import { broadcastDims, broadcastOffsets, fromFront } from '../host/layout';
import { fromNumbers, isHost, numbersOf, pick } from '../host/host-values';
import { describeNode } from '../context';
import type { Op, OpContext, OpTable, Tf, Value } from '../op';
import { allOnHost, hostInts, tfType, upload } from '../value';
import { emptyOf, take } from './take';

const shape: Op = (c) => {
  const dims = c.dims(0);
  const bound = (name: string, otherwise: number) => {
    const b = fromFront(attrInt(c.node, name, otherwise), dims.length);
    return Math.min(dims.length, Math.max(0, b));
  };
  return [hostInts(dims.slice(bound('start', 0), bound('end', dims.length)))];
};

const size: Op = (c) => [hostInts([elementCount(c.dims(0))], [])];

/** @throws AuroraError 'operator' if the bounds are not known before it runs */
const range: Op = (c) => {
  const [start, limit, delta] = [0, 1, 2].map((i) => c.ints(i)[0]);
  const length = Math.max(0, Math.ceil((limit - start) / delta));
  return [
    fromNumbers(
      c.dtype(0),
      [length],
      Float64Array.from({ length }, (_, i) => start + i * delta),
    ),
  ];
};

const constantOfShape: Op = (c) => {
  const a = c.node.attributes.get('value');
  const value = a?.type === 'tensor' ? a.value : undefined;
  const dims = c.ints(0);
  const one = value
    ? { dtype: value.dtype, dims: [], data: tensorValues(value) }
    : { dtype: DType.float, dims: [], data: Float32Array.of(0) };
  return [expandTo(c, { on: 'host', tensor: one }, dims)];
};

/**
 * Broadcasts a tensor to a shape by adding zeros: the gradient of tfjs' own, through Tile, stops at rank 4, and the
 * gradients of some of its binary operators ignore that an operand was smaller.
 */
export function expanded(tf: Tf, t: TfTensor, dims: number[]): TfTensor {
  if (t.rank === dims.length && t.shape.every((d, i) => d === dims[i])) return t;
  if (elementCount(dims) === t.size) return tf.reshape(t, dims);
  if (elementCount(dims) === 0) return emptyOf(tf, t, dims);
  if (t.dtype === 'bool') return tf.cast(expanded(tf, tf.cast(t, 'int32'), dims), 'bool');
  return tf.add(t, tf.zeros(dims, t.dtype as 'float32'));
}

/** On the host if the input is there and the result is small. */
function expandTo(c: OpContext, v: Value, dims: number[]): Value {
  if (isHost(v) && allOnHost({ ...c, inputs: [v] }, elementCount(dims)))
    return pick(v.tensor, dims, broadcastOffsets(v.tensor.dims, dims));
  const dtype = isHost(v) ? v.tensor.dtype : v.dtype;
  const tensor = isHost(v) ? upload(c.tf, v.tensor) : v.tensor;
  return c.out(expanded(c.tf, tensor, dims), dtype);
}

const expand: Op = (c) => [expandTo(c, c.inputs[0]!, broadcastDims(c.dims(0), c.ints(1)))];

const tile: Op = (c) => {
  const dims = c.dims(0);
  const repeat = (v: Value, times: number, axis: number) =>
    take(
      c,
      v,
      axis,
      Array.from({ length: times * dims[axis] }, (_, i) => i % dims[axis]),
    );
  return [c.ints(1).reduce(repeat, c.inputs[0]!)];
};

/** Positions of non-zero values, as columns. Only the host knows how many there are. */
const nonZero: Op = (c) => {
  const v = c.inputs[0];
  if (!isHost(v))
    throw new AuroraError(
      'operator',
      `The output size of ${describeNode(c.node)} depends on computed values, but TensorFlow.js needs it before the node runs.`,
      'Use the ONNX Runtime engine for this model.',
    );
  const { dims } = v.tensor;
  const found = [...numbersOf(v.tensor).entries()].flatMap(([i, x]) => (x === 0 ? [] : [i]));
  const rank = Math.max(1, dims.length);
  const rows = Array.from({ length: rank }, (_, axis) => {
    const after = elementCount(dims.slice(axis + 1));
    return found.map((i) => Math.floor(i / after) % (dims[axis] ?? 1));
  });
  return [hostInts(rows.flat(), [rank, found.length])];
};

const oneHot: Op = (c) => {
  const { tf } = c;
  const depth = c.ints(1)[0];
  const out = [...c.dims(0)];
  const axis = fromFront(attrInt(c.node, 'axis', -1), out.length + 1);
  out.splice(axis, 0, depth);
  const line = out.map((_, i) => (i === axis ? depth : 1));
  const indices = tf.cast(c.tensor(0), 'int32');
  const places = tf.where(
    tf.less(indices, tf.scalar(0, 'int32')),
    tf.add(indices, tf.scalar(depth, 'int32')),
    indices,
  );
  const lifted = tf.reshape(
    places,
    out.map((d, i) => (i === axis ? 1 : d)),
  );
  const hit = tf.equal(lifted, tf.reshape(tf.range(0, depth, 1, 'int32'), line));
  const type = tfType(c.dtype(2)) === 'float32' ? 'float32' : 'int32';
  const [off, on] = tf.split(tf.cast(c.tensor(2), type), 2);
  const values = tf.where(hit, expanded(tf, tf.reshape(on, []), out), expanded(tf, tf.reshape(off, []), out));
  return [c.out(tf.cast(values, tfType(c.dtype(2))), c.dtype(2))];
};

const eyeLike: Op = (c) => {
  const [rows, columns] = c.dims(0);
  const dtype = attrInt(c.node, 'dtype', c.dtype(0));
  const k = attrInt(c.node, 'k', 0);
  const ones = Float64Array.from({ length: rows * columns }, (_, i) =>
    (i % columns) - Math.floor(i / columns) === k ? 1 : 0,
  );
  return [fromNumbers(dtype, [rows, columns], ones)];
};

export const shapes: OpTable = {
  Shape: shape,
  Size: size,
  Range: range,
  ConstantOfShape: constantOfShape,
  Expand: expand,
  Tile: tile,
  NonZero: nonZero,
  OneHot: oneHot,
  EyeLike: eyeLike,
};
