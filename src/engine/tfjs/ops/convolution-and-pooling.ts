import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { AuroraError } from '../../../base/errors';
import { attrInt, attrInts, attrString } from '../../../graph/attributes';
import { cropsInput } from '../../../graph/crops';
import { elementCount } from '../../../graph/model';
import { describeNode } from '../context';
import { offsets, stridesOf } from '../host/layout';
import type { Op, OpContext, OpTable, Tf } from '../op';
import { aroundAxis, gatherMiddle } from './take';

/**
 * Convolution over any number of spatial axes as one product over gathered patches: tfjs' own have no gradient on wasm,
 * and none with groups.
 *
 * @param x      (batch, channels, …)
 * @param weight (filters, channels / groups, …)
 */
function convolve(c: OpContext, x: TfTensor, weight: TfTensor, w: Windows): TfTensor {
  const { tf } = c;
  const [batch, channels] = x.shape;
  const [filters, , ...kernel] = weight.shape;
  const groups = attrInt(c.node, 'group', 1);
  const [inside, windows] = [elementCount(kernel), elementCount(w.out)];
  const depth = channels / groups;
  const columns = tf.transpose(
    tf.reshape(patches(tf, x, w, 0), [batch, groups, depth * inside, windows]),
    [1, 2, 0, 3],
  );
  const product = tf.matMul(
    tf.reshape(weight, [groups, filters / groups, depth * inside]),
    tf.reshape(columns, [groups, depth * inside, batch * windows]),
  );
  let y: TfTensor = tf.reshape(product, [filters, batch, windows]);
  if (c.has(2)) y = tf.add(y, tf.reshape(c.tensor(2), [filters, 1, 1]));
  return tf.reshape(tf.transpose(y, [1, 0, 2]), [batch, filters, ...w.out]);
}

const conv: Op = (c) => [c.out(convolve(c, c.tensor(0), c.tensor(1), windowsOf(c, c.dims(1).slice(2))))];

/** The convolution with the kernel turned around, of the input with zeros between its positions. */
const convTranspose: Op = (c) => {
  const { tf, node } = c;
  const fixed = ['NOTSET', 'VALID'].includes(attrString(node, 'auto_pad', 'NOTSET'));
  if (!fixed || attrInts(node, 'output_shape'))
    throw new AuroraError(
      'operator',
      `The TensorFlow.js engine does not support auto_pad or output_shape of ${describeNode(node)}.`,
      'Use the ONNX Runtime engine for this model.',
    );
  const kernel = c.dims(1).slice(2);
  const each = (name: string, otherwise: number) => attrInts(node, name) ?? kernel.map(() => otherwise);
  const [strides, dilations] = [each('strides', 1), each('dilations', 1)];
  const pads = attrInts(node, 'pads') ?? [...kernel, ...kernel].map(() => 0);
  const beyond = each('output_padding', 0);
  let x = c.tensor(0);
  kernel.forEach((size, i) => {
    const reach = (size - 1) * dilations[i];
    x = apart(tf, x, i + 2, strides[i]);
    x = margins(tf, x, i + 2, reach - pads[i], reach - pads[i + kernel.length] + beyond[i]);
  });
  const none = kernel.map(() => 0);
  const space = x.shape.slice(2);
  const out = space.map((s, i) => s - (kernel[i] - 1) * dilations[i]);
  const ones = kernel.map(() => 1);
  const w = { kernel, strides: ones, dilations, before: none, after: none, extra: none, space, out };
  return [c.out(convolve(c, x, turned(c), w))];
};

/** (channels, filters / groups, …) as (filters, channels / groups, …), backwards along the spatial axes. */
function turned(c: OpContext): TfTensor {
  const { tf } = c;
  const [channels, filters, ...kernel] = c.dims(1);
  const groups = attrInt(c.node, 'group', 1);
  const split = tf.reshape(c.tensor(1), [groups, channels / groups, filters, elementCount(kernel)]);
  const shape = [groups * filters, channels / groups, ...kernel];
  return tf.reshape(tf.reverse(tf.transpose(split, [0, 2, 1, 3]), 3), shape);
}

/** Zeros between the positions of an axis, so that they are `stride` apart. */
function apart(tf: Tf, x: TfTensor, axis: number, stride: number): TfTensor {
  if (stride === 1) return x;
  const [before, length, after] = aroundAxis(x.shape, axis);
  const wide = tf.pad(tf.reshape(x, [before, length, 1, after]), [
    [0, 0],
    [0, 0],
    [0, stride - 1],
    [0, 0],
  ]);
  const dims = x.shape.map((d, i) => (i === axis ? d * stride : d));
  return margins(tf, tf.reshape(wide, dims), axis, 0, 1 - stride);
}

/** Zeros at both ends of an axis; cuts where negative. */
function margins(tf: Tf, x: TfTensor, axis: number, before: number, after: number): TfTensor {
  const at = (v: number) => x.shape.map((_, i) => (i === axis ? v : 0));
  const [cutBefore, cutAfter] = [Math.max(0, -before), Math.max(0, -after)];
  const sizes = x.shape.map((d, i) => (i === axis ? d - cutBefore - cutAfter : d));
  const cut = cutBefore + cutAfter > 0 ? tf.slice(x, at(cutBefore), sizes) : x;
  if (before <= 0 && after <= 0) return cut;
  return tf.pad(
    cut,
    x.shape.map((_, i) => (i === axis ? [Math.max(0, before), Math.max(0, after)] : [0, 0])) as [
      number,
      number,
    ][],
  );
}

export const convolutions: OpTable = { Conv: conv, ConvTranspose: convTranspose };

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

/** A kernel sliding over spatial axes, for convolutions and pooling. */
interface Windows {
  kernel: number[];
  strides: number[];
  dilations: number[];
  /** Margins before and after each axis; `extra` more after it if a last window extends beyond (ceil_mode). */
  before: number[];
  after: number[];
  extra: number[];
  /** Size of each axis, and number of windows along it. */
  space: number[];
  out: number[];
}

/** @param kernel sizes along the spatial axes, which follow batch and channels in input 0 */
function windowsOf(c: OpContext, kernel: number[]): Windows {
  const space = c.dims(0).slice(2);
  const each = (name: string, otherwise: number) => attrInts(c.node, name) ?? kernel.map(() => otherwise);
  const [strides, dilations] = [each('strides', 1), each('dilations', 1)];
  const reach = kernel.map((k, i) => (k - 1) * dilations[i] + 1);
  const pads = attrInts(c.node, 'pads') ?? [...kernel, ...kernel].map(() => 0);
  let before = pads.slice(0, kernel.length);
  let after = pads.slice(kernel.length);
  const auto = attrString(c.node, 'auto_pad', 'NOTSET');
  if (auto === 'VALID') before = after = kernel.map(() => 0);
  if (auto.startsWith('SAME')) {
    const total = space.map((s, i) =>
      Math.max(0, (Math.ceil(s / strides[i]) - 1) * strides[i] + reach[i] - s),
    );
    const [less, more] = [total.map((t) => Math.floor(t / 2)), total.map((t) => Math.ceil(t / 2))];
    [before, after] = auto === 'SAME_UPPER' ? [less, more] : [more, less];
  }
  const ceil = attrInt(c.node, 'ceil_mode', 0) === 1;
  const out = space.map((s, i) => {
    const steps = (s + before[i] + after[i] - reach[i]) / strides[i];
    const count = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
    // A window that would start in the margin after the axis does not count.
    return ceil && (count - 1) * strides[i] >= s + before[i] ? count - 1 : count;
  });
  const extra = out.map((n, i) =>
    Math.max(0, (n - 1) * strides[i] + reach[i] - (space[i] + before[i] + after[i])),
  );
  return { kernel, strides, dilations, before, after, extra, space, out };
}

/** The contents of every window of an image (batch, channels, …), as (batch·channels, kernel positions · windows). */
function patches(tf: Tf, image: TfTensor, w: Windows, fill: number): TfTensor {
  const rows = elementCount(image.shape.slice(0, 2));
  const margins: [number, number][] = w.space.map((_, i) => [w.before[i], w.after[i] + w.extra[i]]);
  const x = tf.reshape(image, [rows, ...w.space]);
  const padded = margins.some(([a, b]) => a + b > 0) ? tf.pad(x, [[0, 0], ...margins], fill) : x;
  const places = tf.tensor1d(windowPlaces(w, padded.shape.slice(1)), 'int32');
  const taken = gatherMiddle(tf, tf.reshape(padded, [rows, -1, 1]), places);
  return tf.reshape(taken, [rows, elementCount(w.kernel), elementCount(w.out)]);
}

/** For every kernel position, then every window: where it reads in space of the given size. */
function windowPlaces(w: Windows, size: readonly number[]): Int32Array {
  const strides = stridesOf(size);
  return offsets(
    [...w.kernel, ...w.out],
    [...strides.map((s, i) => s * w.dilations[i]), ...strides.map((s, i) => s * w.strides[i])],
  );
}
