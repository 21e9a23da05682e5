import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { attrInt, attrString } from '../../../graph/attributes';
import { isFloat } from '../../../graph/dtype';
import { elementCount } from '../../../graph/model';
import type { NumberArray } from '../../../graph/values';
import { fromFront, slicedPositions } from '../host/layout';
import { hostTensor, hostValue, isHost, numbersOf, pick } from '../host/host-values';
import type { Op, OpContext, OpTable, Tf, Value } from '../op';
import { upload } from '../value';
import { expanded } from './shape';
import { aroundAxis, axisOf, take } from './take';

const slice: Op = (c) => {
  const dims = c.dims(0);
  const [starts, ends] = [c.ints(1), c.ints(2)];
  const axes = c.has(3) ? c.ints(3) : starts.map((_, i) => i);
  const steps = c.has(4) ? c.ints(4) : starts.map(() => 1);
  const cut = (v: Value, given: number, i: number) => {
    const axis = fromFront(given, dims.length);
    return take(c, v, axis, slicedPositions(dims[axis], starts[i], ends[i], steps[i]));
  };
  return [axes.reduce(cut, c.inputs[0]!)];
};

const concat: Op = (c) => {
  const axis = axisOf(c, attrInt(c.node, 'axis', 0));
  if (c.inputs.every(isHost)) {
    const parts = c.inputs.map((_, i) => hostTensor(c, i));
    const dims = parts[0].dims.map((d, i) => (i === axis ? parts.reduce((n, p) => n + p.dims[axis], 0) : d));
    const Type = parts[0].data.constructor as new (n: number) => NumberArray;
    const data = new Type(elementCount(dims));
    const rows = elementCount(dims.slice(0, axis));
    let at = 0;
    for (let row = 0; row < rows; row++)
      for (const p of parts) {
        const width = p.data.length / rows;
        data.set(p.data.subarray(row * width, (row + 1) * width) as never, at);
        at += width;
      }
    return [hostValue({ dtype: parts[0].dtype, dims, data })];
  }
  const { tf } = c;
  const all = c.inputs.map((_, i) => c.dims(i));
  const dims = all[0].map((d, i) => (i === axis ? all.reduce((n, s) => n + s[axis], 0) : d));
  const full = all.flatMap((s, i) =>
    elementCount(s) > 0 ? [tf.reshape(c.tensor(i), aroundAxis(s, axis))] : [],
  );
  const empty = all.flatMap((s, i) => (elementCount(s) > 0 ? [] : [c.tensor(i)]));
  const joined =
    full.length === 0
      ? tf.zeros(dims, empty[0].dtype as 'float32')
      : tf.reshape(full.length === 1 ? full[0] : tf.concat(full, 1), dims);
  return [c.out(isFloat(c.dtype(0)) ? besideEmpty(tf, joined, empty) : joined)];
};

/** x, which also gives tensors without elements a gradient: tfjs demands one for whatever they were computed from. */
function besideEmpty(tf: Tf, x: TfTensor, empty: readonly TfTensor[]): TfTensor {
  if (empty.length === 0) return x;
  const run = tf.customGrad((given) => ({
    value: tf.clone(given as TfTensor),
    gradFunc: (dy: TfTensor) => [dy, ...empty.map((e) => tf.zeros(e.shape))],
  }));
  return run(x, ...empty);
}

const split: Op = (c) => {
  const axis = axisOf(c, attrInt(c.node, 'axis', 0));
  const size = c.dims(0)[axis];
  const parts = attrInt(c.node, 'num_outputs', c.node.outputs.length);
  const even = Math.ceil(size / parts);
  const sizes = c.has(1)
    ? c.ints(1)
    : Array.from({ length: parts }, (_, i) => Math.max(0, Math.min(even, size - i * even)));
  let from = 0;
  return sizes.map((n) => {
    const places = Array.from({ length: n }, (_, i) => from + i);
    from += n;
    return take(c, c.inputs[0]!, axis, places);
  });
};

/** The source of each position of a padded axis; −1 for the padding value. Negative margins cut. */
function paddedPlaces(size: number, before: number, after: number, mode: string): number[] {
  const length = Math.max(0, size + before + after);
  return Array.from({ length }, (_, i) => {
    const at = i - before;
    if (at >= 0 && at < size) return at;
    if (mode === 'edge') return at < 0 ? 0 : size - 1;
    if (mode === 'wrap') return ((at % size) + size) % size;
    if (mode !== 'reflect') return -1;
    if (size === 1) return 0;
    const period = 2 * (size - 1);
    const k = ((at % period) + period) % period;
    return k < size ? k : period - k;
  });
}

const pad: Op = (c) => {
  const dims = c.dims(0);
  const pads = c.ints(1);
  const axes = (c.has(3) ? c.ints(3) : dims.map((_, i) => i)).map((a) => fromFront(a, dims.length));
  const mode = attrString(c.node, 'mode', 'constant');
  return [
    axes.reduce((v, axis, i) => {
      const [before, after] = [pads[i], pads[i + axes.length]];
      const places = paddedPlaces(dims[axis], before, after, mode);
      return mode === 'constant' ? padConstant(c, v, axis, places) : take(c, v, axis, places);
    }, c.inputs[0]!),
  ];
};

function padConstant(c: OpContext, v: Value, axis: number, places: number[]): Value {
  const kept = places.filter((p) => p >= 0);
  const before = Math.max(
    0,
    places.findIndex((p) => p >= 0),
  );
  const after = places.length - kept.length - before;
  const inner = take(c, v, axis, kept);
  if (before + after === 0) return inner;
  const dims = isHost(inner) ? inner.tensor.dims : inner.tensor.shape;
  const out = dims.map((d, i) => (i === axis ? places.length : d));
  const given = c.has(2) ? c.inputs[2]! : undefined;
  const fill = given && isHost(given) ? (numbersOf(given.tensor)[0] ?? 0) : 0;
  const computed = given?.on === 'device' ? given.tensor : undefined;
  if (isHost(inner) && fill === 0 && !computed)
    return pick(inner.tensor, out, paddedFrom(dims, axis, places.length, before));
  const { tf } = c;
  const tensor = isHost(inner) ? upload(tf, inner.tensor) : inner.tensor;
  // Not every backend has a padding kernel for bools.
  const x = tensor.dtype === 'bool' ? tf.cast(tensor, 'int32') : tensor;
  let padded =
    x.size === 0 ? tf.fill(out, fill, x.dtype as 'float32') : padAxis(tf, x, axis, [before, after], fill);
  if (computed) {
    const kept = padAxis(tf, tf.ones(dims, 'int32'), axis, [before, after], 0);
    const value = expanded(tf, tf.cast(tf.reshape(computed, []), x.dtype), out);
    padded = tf.where(tf.cast(kept, 'bool'), padded, value);
  }
  return c.out(tensor.dtype === 'bool' ? tf.cast(padded, 'bool') : padded);
}

function padAxis(tf: Tf, x: TfTensor, axis: number, margin: [number, number], fill: number): TfTensor {
  const out = x.shape.map((d, i) => (i === axis ? d + margin[0] + margin[1] : d));
  const around = tf.reshape(x, aroundAxis(x.shape, axis));
  return tf.reshape(tf.pad(around, [[0, 0], margin, [0, 0]], fill), out);
}

/**
 * For every element of a host tensor padded to `length` along an axis, its position in the tensor; −1 in the margins.
 */
function paddedFrom(dims: number[], axis: number, length: number, before: number): Int32Array {
  const [rows, size, width] = aroundAxis(dims, axis);
  return Int32Array.from({ length: rows * length * width }, (_, i) => {
    const k = (Math.floor(i / width) % length) - before;
    const row = Math.floor(i / (width * length));
    return k < 0 || k >= size ? -1 : (row * size + k) * width + (i % width);
  });
}

/** The upper or lower triangle of the last two axes; the rest is 0. */
const trilu: Op = (c) => {
  const dims = c.dims(0);
  const [rows, columns] = dims.slice(-2);
  const k = c.has(1) ? c.ints(1)[0] : 0;
  const upper = attrInt(c.node, 'upper', 1) === 1;
  const inside = (i: number, j: number) => (upper ? j - i >= k : j - i <= k);
  const v = c.inputs[0]!;
  if (isHost(v)) {
    const places = Int32Array.from(v.tensor.data, (_: unknown, n: number) =>
      inside(Math.floor(n / columns) % rows, n % columns) ? n : -1,
    );
    return [pick(v.tensor, dims, places)];
  }
  const { tf } = c;
  if (v.tensor.size === 0) return [v];
  const mask = Uint8Array.from({ length: rows * columns }, (_, n) =>
    inside(Math.floor(n / columns), n % columns) ? 1 : 0,
  );
  const x = tf.reshape(v.tensor, [-1, rows * columns]);
  const wanted = tf.logicalOr(tf.tensor2d(mask, [1, rows * columns], 'bool'), tf.zeros(x.shape, 'bool'));
  const type = v.tensor.dtype === 'bool' ? 'int32' : (v.tensor.dtype as 'float32');
  const kept = tf.where(wanted, tf.cast(x, type), tf.zeros(x.shape, type));
  return [c.out(tf.reshape(tf.cast(kept, v.tensor.dtype), dims))];
};

/** Rearranges blocks of channels into squares of the image, and back; with views and one transpose each. */
const depthToSpace: Op = (c) => {
  const { tf } = c;
  const [n, depth, h, w] = c.dims(0);
  const b = attrInt(c.node, 'blocksize', 1);
  const crd = attrString(c.node, 'mode', 'DCR') === 'CRD';
  const deep = depth / (b * b);
  const split6 = crd ? [n, deep, b, b, h, w] : [n, b, b, deep, h, w];
  const moved = tf.transpose(tf.reshape(c.tensor(0), split6), crd ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]);
  return [c.out(tf.reshape(moved, [n, deep, h * b, w * b]))];
};

const spaceToDepth: Op = (c) => {
  const { tf } = c;
  const [n, depth, h, w] = c.dims(0);
  const b = attrInt(c.node, 'blocksize', 1);
  const moved = tf.transpose(tf.reshape(c.tensor(0), [n, depth, h / b, b, w / b, b]), [0, 3, 5, 1, 2, 4]);
  return [c.out(tf.reshape(moved, [n, depth * b * b, h / b, w / b]))];
};

export const slices: OpTable = {
  Slice: slice,
  Concat: concat,
  Split: split,
  Pad: pad,
  Trilu: trilu,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
};
