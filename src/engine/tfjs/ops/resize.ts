import { attrInts } from '../../../graph/attributes';
import { resizeMatrix, unsupportedResize } from '../../../graph/resize';
import { AuroraError } from '../../../base/errors';
import { describeNode } from '../context';
import { fromFront } from '../host/layout';
import { isHost, numbersOf } from '../host/host-values';
import type { Op, OpContext, OpTable } from '../op';
import { aroundAxis } from './take';

/** New size and scale of each axis; unnamed axes keep theirs. */
function targets(c: OpContext): { out: number[]; scales: number[] } {
  const dims = c.dims(0);
  const axes = (attrInts(c.node, 'axes') ?? dims.map((_, i) => i)).map((x) => fromFront(x, dims.length));
  const [out, scales] = [[...dims], dims.map(() => 1)];
  const given = c.has(2) && c.dims(2)[0] > 0 ? c.inputs[2] : undefined;
  const byScale = given && isHost(given) ? numbersOf(given.tensor) : given ? c.ints(2) : undefined;
  const sizes = byScale ? [] : c.ints(3);
  axes.forEach((axis, i) => {
    // In float32, as ONNX Runtime multiplies: 5 · 1.4 is 7.
    out[axis] = byScale ? Math.floor(Math.fround(dims[axis] * byScale[i])) : sizes[i];
    scales[axis] = byScale ? byScale[i] : sizes[i] / dims[axis];
  });
  return { out, scales };
}

/** Axis by axis, each a product with its weight matrix: any rank, any mode, and a gradient. */
const resize: Op = (c) => {
  const unknown = unsupportedResize(c.node);
  if (unknown)
    throw new AuroraError(
      'operator',
      `The TensorFlow.js engine does not support ${unknown} of ${describeNode(c.node)}.`,
      'Use the ONNX Runtime engine for this model.',
    );
  const { tf } = c;
  const { out, scales } = targets(c);
  let y = c.tensor(0);
  out.forEach((size, axis) => {
    const length = y.shape[axis];
    if (size === length && scales[axis] === 1) return;
    const matrix = resizeMatrix(c.node, length, size, scales[axis]);
    const [before, , after] = aroundAxis(y.shape, axis);
    const rows = tf.reshape(tf.transpose(tf.reshape(y, [before, length, after]), [0, 2, 1]), [-1, length]);
    const product = tf.reshape(tf.matMul(rows, tf.tensor2d(matrix, [length, size])), [before, after, size]);
    const dims = y.shape.map((d, i) => (i === axis ? size : d));
    y = tf.reshape(tf.transpose(product, [0, 2, 1]), dims);
  });
  return [c.out(y)];
};

export const resizes: OpTable = { Resize: resize };
