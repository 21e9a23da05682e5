import { attrFloat, attrInt, attrInts, attrString } from '../../../graph/attributes';
import { AuroraError } from '../../../base/errors';
import { describeNode } from '../context';
import { fromFront } from '../host/layout';
import { isHost, numbersOf } from '../host/values';
import type { Op, OpContext, OpTable } from '../op';
import { aroundAxis } from './take';

type Weights = { place: number; weight: number }[];

/** The position on the original axis of a position on the resized axis. @param scale resized by original */
function origin(mode: string, x: number, scale: number, length: number, out: number): number {
  switch (mode) {
    case 'asymmetric':
      return x / scale;
    case 'align_corners':
      return out === 1 ? 0 : (x * (length - 1)) / (out - 1);
    case 'pytorch_half_pixel':
      return out > 1 ? (x + 0.5) / scale - 0.5 : 0;
    case 'half_pixel_symmetric': {
      const adjustment = out / (length * scale);
      return (length / 2) * (1 - adjustment) + (x + 0.5) / scale - 0.5;
    }
    default:
      return (x + 0.5) / scale - 0.5;
  }
}

function nearestTo(mode: string, at: number): number {
  if (mode === 'floor') return Math.floor(at);
  if (mode === 'ceil') return Math.ceil(at);
  if (mode === 'round_prefer_ceil') return Math.floor(at + 0.5);
  return Math.ceil(at - 0.5);
}

/** Keys' cubic convolution. */
function cubic(a: number, distance: number): number {
  const d = Math.abs(distance);
  if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
  return d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0;
}

function weightsAt(c: OpContext, at: number, length: number): Weights {
  const mode = attrString(c.node, 'mode', 'nearest');
  const inside = (place: number) => Math.min(length - 1, Math.max(0, place));
  if (mode === 'nearest') {
    const nearest = nearestTo(attrString(c.node, 'nearest_mode', 'round_prefer_floor'), at);
    return [{ place: inside(nearest), weight: 1 }];
  }
  const first = Math.floor(at);
  if (mode === 'linear')
    return [0, 1].map((k) => ({ place: inside(first + k), weight: 1 - Math.abs(at - first - k) }));
  const a = attrFloat(c.node, 'cubic_coeff_a', -0.75);
  return [-1, 0, 1, 2].map((k) => ({ place: inside(first + k), weight: cubic(a, at - first - k) }));
}

/** New size and scale of each axis; unnamed axes keep theirs. */
function targets(c: OpContext): { out: number[]; scales: number[] } {
  const dims = c.dims(0);
  const axes = (attrInts(c.node, 'axes') ?? dims.map((_, i) => i)).map((x) => fromFront(x, dims.length));
  const [out, scales] = [[...dims], dims.map(() => 1)];
  const given = c.has(2) && c.dims(2)[0] > 0 ? c.inputs[2] : undefined;
  const byScale = given && isHost(given) ? numbersOf(given.tensor) : given ? c.ints(2) : undefined;
  const sizes = byScale ? [] : c.ints(3);
  axes.forEach((axis, i) => {
    out[axis] = byScale ? Math.floor(dims[axis] * byScale[i]) : sizes[i];
    scales[axis] = byScale ? byScale[i] : sizes[i] / dims[axis];
  });
  return { out, scales };
}

/** Modes that this file does not implement. */
function requireKnown(c: OpContext): void {
  const { node } = c;
  const mode = attrString(node, 'coordinate_transformation_mode', 'half_pixel');
  const unknown =
    mode === 'tf_crop_and_resize'
      ? mode
      : attrInt(node, 'antialias', 0)
        ? 'antialias'
        : attrInt(node, 'exclude_outside', 0)
          ? 'exclude_outside'
          : attrString(node, 'keep_aspect_ratio_policy', 'stretch') !== 'stretch'
            ? 'keep_aspect_ratio_policy'
            : undefined;
  if (unknown)
    throw new AuroraError(
      'operator',
      `The TensorFlow.js engine does not support ${unknown} of ${describeNode(node)}.`,
      'Use the ONNX Runtime engine for this model.',
    );
}

/** Axis by axis, each a product with its weight matrix: any rank, any mode, and a gradient. */
const resize: Op = (c) => {
  requireKnown(c);
  const { tf } = c;
  const { out, scales } = targets(c);
  const mode = attrString(c.node, 'coordinate_transformation_mode', 'half_pixel');
  let y = c.tensor(0);
  out.forEach((size, axis) => {
    const length = y.shape[axis];
    if (size === length && scales[axis] === 1) return;
    const matrix = new Float32Array(length * size);
    for (let x = 0; x < size; x++)
      for (const { place, weight } of weightsAt(c, origin(mode, x, scales[axis], length, size), length))
        matrix[place * size + x] += weight;
    const [before, , after] = aroundAxis(y.shape, axis);
    const rows = tf.reshape(tf.transpose(tf.reshape(y, [before, length, after]), [0, 2, 1]), [-1, length]);
    const product = tf.reshape(tf.matMul(rows, tf.tensor2d(matrix, [length, size])), [before, after, size]);
    const dims = y.shape.map((d, i) => (i === axis ? size : d));
    y = tf.reshape(tf.transpose(product, [0, 2, 1]), dims);
  });
  return [c.out(y)];
};

export const resizes: OpTable = { Resize: resize };
