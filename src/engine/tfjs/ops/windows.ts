import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { attrInt, attrInts, attrString } from '../../../graph/attributes';
import { elementCount } from '../../../graph/model';
import { offsets, stridesOf } from '../host/layout';
import type { OpContext, Tf } from '../op';
import { gatherMiddle } from './take';

/** A kernel sliding over spatial axes, for convolutions and pooling. */
export interface Windows {
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
export function windowsOf(c: OpContext, kernel: number[]): Windows {
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
export function patches(tf: Tf, image: TfTensor, w: Windows, fill: number): TfTensor {
  const rows = elementCount(image.shape.slice(0, 2));
  const margins: [number, number][] = w.space.map((_, i) => [w.before[i], w.after[i] + w.extra[i]]);
  const x = tf.reshape(image, [rows, ...w.space]);
  const padded = margins.some(([a, b]) => a + b > 0) ? tf.pad(x, [[0, 0], ...margins], fill) : x;
  const places = tf.tensor1d(windowPlaces(w, padded.shape.slice(1)), 'int32');
  const taken = gatherMiddle(tf, tf.reshape(padded, [rows, -1, 1]), places);
  return tf.reshape(taken, [rows, elementCount(w.kernel), elementCount(w.out)]);
}

/** For every kernel position, then every window: where it reads in space of the given size. */
export function windowPlaces(w: Windows, size: readonly number[]): Int32Array {
  const strides = stridesOf(size);
  return offsets(
    [...w.kernel, ...w.out],
    [...strides.map((s, i) => s * w.dilations[i]), ...strides.map((s, i) => s * w.strides[i])],
  );
}
