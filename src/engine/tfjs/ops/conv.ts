import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { attrInt, attrInts, attrString } from '../../../graph/attributes';
import { elementCount } from '../../../graph/model';
import { AuroraError } from '../../../base/errors';
import { describeNode } from '../context';
import type { Op, OpContext, OpTable, Tf } from '../op';
import { aroundAxis } from './take';
import { patches, windowsOf, type Windows } from './windows';

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
