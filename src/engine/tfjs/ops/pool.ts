import { AuroraError } from '../../../base/errors';
import { attrInt, attrInts } from '../../../graph/attributes';
import { cropsInput } from '../../../graph/crops';
import { elementCount } from '../../../graph/model';
import { describeNode } from '../context';
import type { Op, OpContext, OpTable } from '../op';
import { patches, windowPlaces, windowsOf, type Windows } from './windows';

/** @throws AuroraError 'operator' where ONNX Runtime reads another part of the input */
function poolWindows(c: OpContext): Windows {
  if (cropsInput(c.node))
    throw new AuroraError(
      'operator',
      `The TensorFlow.js engine does not support auto_pad with strides longer than the kernel of ${describeNode(c.node)}.`,
      'Use the ONNX Runtime engine for this model.',
    );
  return windowsOf(c, attrInts(c.node, 'kernel_shape')!);
}

const maxPool: Op = (c) => {
  const w = poolWindows(c);
  // Finite, so that a product with 0 is not NaN.
  const y = c.tf.max(patches(c.tf, c.tensor(0), w, -3.4e38), 1);
  return [c.out(c.tf.reshape(y, [...c.dims(0).slice(0, 2), ...w.out]))];
};

const averagePool: Op = (c) => {
  const { tf } = c;
  const w = poolWindows(c);
  const total = tf.sum(patches(c.tf, c.tensor(0), w, 0), 1);
  const counts = counted(w, attrInt(c.node, 'count_include_pad', 0) === 1);
  const y = tf.div(total, tf.tensor2d(counts, [1, counts.length]));
  return [c.out(tf.reshape(y, [...c.dims(0).slice(0, 2), ...w.out]))];
};

/** The number of positions of each window that count: those of the input, or also those of its explicit margins. */
function counted(w: Windows, margins: boolean): Float32Array {
  const size = w.space.map((s, i) => w.before[i] + s + w.after[i] + w.extra[i]);
  let marks = Float32Array.of(1);
  w.space.forEach((s, axis) => {
    const next = new Float32Array(marks.length * size[axis]);
    for (let i = 0; i < next.length; i++) {
      const at = i % size[axis];
      const [from, to] = margins
        ? [0, w.before[axis] + s + w.after[axis]]
        : [w.before[axis], w.before[axis] + s];
      next[i] = marks[Math.floor(i / size[axis])] * (at >= from && at < to ? 1 : 0);
    }
    marks = next;
  });
  const places = windowPlaces(w, size);
  const windows = elementCount(w.out);
  const counts = new Float32Array(windows);
  places.forEach((p, i) => (counts[i % windows] += marks[p]));
  return counts;
}

/** Over all spatial axes. */
const globalPool =
  (kind: 'mean' | 'max'): Op =>
  (c) => {
    const [batch, channels, ...space] = c.dims(0);
    const rows = c.tf.reshape(c.tensor(0), [batch * channels, elementCount(space)]);
    return [c.out(c.tf.reshape(c.tf[kind](rows, 1), [batch, channels, ...space.map(() => 1)]))];
  };

export const pools: OpTable = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalPool('mean'),
  GlobalMaxPool: globalPool('max'),
};
