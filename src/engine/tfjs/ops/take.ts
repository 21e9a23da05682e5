import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { elementCount } from '../../../graph/model';
import { fromFront } from '../host/layout';
import { isHost, pick } from '../host/host-values';
import type { OpContext, Tf, Value } from '../op';

/** A tensor as (before, size, after) around an axis: within every kernel's rank limit, regardless of its own rank. */
export function aroundAxis(dims: readonly number[], axis: number): [number, number, number] {
  return [elementCount(dims.slice(0, axis)), dims[axis], elementCount(dims.slice(axis + 1))];
}

/** A result without elements, with a gradient of zeros: kernels may not accept sizes of 0. */
export function emptyOf(tf: Tf, x: TfTensor, dims: number[]): TfTensor {
  const { shape } = x;
  const run = tf.customGrad(() => ({
    value: tf.zeros(dims, x.dtype as 'float32'),
    gradFunc: () => tf.zeros(shape),
  }));
  return run(x);
}

/**
 * Values of x (before, size, after) at some positions of its middle axis. Its gradient adds back with ScatterNd, which
 * all backends have; tfjs' own needs UnsortedSegmentSum, which wasm lacks.
 *
 * @param places int32, 0 to size − 1
 */
export function gatherMiddle(tf: Tf, x: TfTensor, places: TfTensor): TfTensor {
  const [before, size, after] = x.shape;
  const count = places.size;
  if (before * size * after * count === 0) return emptyOf(tf, x, [before, count, after]);
  const run = tf.customGrad((...args) => {
    const [given, save] = args as unknown as [TfTensor, (t: TfTensor[]) => void];
    save([places]);
    return {
      value: tf.gather(given, places as never, 1),
      gradFunc: (dy: TfTensor, saved: TfTensor[]) => {
        const rows = tf.reshape(tf.transpose(dy, [1, 0, 2]), [count, before * after]);
        const sum = scatter(tf, saved[0], rows, size);
        return tf.transpose(tf.reshape(sum, [size, before, after]), [1, 0, 2]);
      },
    };
  });
  return run(x);
}

/** Adds rows (count, width) at their positions among `size` rows of zeros. Its gradient gathers. */
export function scatterRows(tf: Tf, places: TfTensor, rows: TfTensor, size: number): TfTensor {
  const width = rows.shape[1]!;
  if (rows.size === 0) return emptyOf(tf, rows, [size, width]);
  const run = tf.customGrad((...args) => {
    const [given, save] = args as unknown as [TfTensor, (t: TfTensor[]) => void];
    save([places]);
    return {
      value: scatter(tf, places, given, size),
      gradFunc: (dy: TfTensor, saved: TfTensor[]) => tf.gather(dy, saved[0] as never, 0),
    };
  });
  return run(rows);
}

const scatter = (tf: Tf, places: TfTensor, rows: TfTensor, size: number): TfTensor =>
  tf.scatterND(tf.reshape(places, [places.size, 1]), rows, [size, rows.shape[1]!]);

/** The values at known positions of an axis, on the side of the input. */
export function take(c: OpContext, v: Value, axis: number, places: readonly number[]): Value {
  const dims = v.on === 'host' ? v.tensor.dims : v.tensor.shape;
  const out = dims.map((d, i) => (i === axis ? places.length : d));
  if (places.length === dims[axis] && places.every((p, i) => p === i)) return v;
  if (isHost(v)) {
    const [, size, after] = aroundAxis(dims, axis);
    const flat = Int32Array.from({ length: elementCount(out) }, (_, i) => {
      const k = Math.floor(i / after) % places.length;
      const row = Math.floor(i / (after * places.length));
      return (row * size + places[k]) * after + (i % after);
    });
    return pick(v.tensor, out, flat);
  }
  const { tf } = c;
  const x = tf.reshape(v.tensor, aroundAxis(dims, axis));
  const run = places.every((p, i) => i === 0 || p === places[i - 1] + 1);
  const taken =
    elementCount(out) === 0
      ? emptyOf(tf, x, out)
      : run
        ? tf.slice(x, [0, places[0], 0], [x.shape[0], places.length, x.shape[2]!])
        : gatherMiddle(tf, x, tf.tensor1d(Int32Array.from(places), 'int32'));
  return { ...v, tensor: tf.reshape(taken, out) };
}

/** Indices that may count from the end, as positions from the front. */
export function fromFrontTensor(tf: Tf, indices: TfTensor, size: number): TfTensor {
  const zero = tf.scalar(0, 'int32');
  return tf.where(tf.less(indices, zero), tf.add(indices, tf.scalar(size, 'int32')), indices);
}

export const axisOf = (c: OpContext, axis: number, input = 0): number =>
  fromFront(axis, c.dims(input).length);

/** The result on the side of its inputs. */
export const view = (c: OpContext, v: Value, dims: number[]): Value =>
  v.on === 'host'
    ? { on: 'host', tensor: { ...v.tensor, dims } }
    : { ...v, tensor: c.tf.reshape(v.tensor, dims) };
