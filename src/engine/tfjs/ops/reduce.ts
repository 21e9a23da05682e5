import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { attrInt } from '../../../graph/attributes';
import { DType } from '../../../graph/dtype';
import { elementCount } from '../../../graph/model';
import { fromFront } from '../host/layout';
import { reducedAxes } from '../host/reductions';
import type { Op, OpContext, OpTable, Tf } from '../op';
import { aroundAxis, axisOf, gatherMiddle } from './take';

/** Reduces the last axis of (rows, count). */
type RowOp = (tf: Tf, x: TfTensor) => TfTensor;

/** @param identity the result for a row without elements */
const reduceWith =
  (f: RowOp, identity = 0, unchanged: (tf: Tf, x: TfTensor) => TfTensor = (_, x) => x): Op =>
  (c) => {
    const axes = reducedAxes(c);
    const x = c.tensor(0);
    if (!axes) return [c.out(unchanged(c.tf, x))];
    const dims = c.dims(0);
    const kept = dims.map((d, i) => (axes.includes(i) ? 1 : d));
    const out = attrInt(c.node, 'keepdims', 1) ? kept : dims.filter((_, i) => !axes.includes(i));
    const count = elementCount(axes.map((a) => dims[a]));
    if (count === 0 || x.size === 0) return [c.out(c.tf.fill(out, identity, x.dtype as 'float32'))];
    return [c.out(c.tf.reshape(f(c.tf, c.tf.reshape(rowsFirst(c, x, axes), [-1, count])), out))];
  };

/** Moves the reduced axes last. */
function rowsFirst(c: OpContext, x: TfTensor, axes: number[]): TfTensor {
  const rest = x.shape.flatMap((_, i) => (axes.includes(i) ? [] : [i]));
  const perm = [...rest, ...axes];
  return perm.every((p, i) => p === i) ? x : c.tf.transpose(x, perm);
}

/** Equal shares of the gradient to all elements at the extreme, like our own rule and PyTorch's amax. */
const extremum =
  (kind: 'max' | 'min'): RowOp =>
  (tf, x) => {
    // A bool's extreme is "any" or "all".
    const given = x.dtype === 'bool' ? tf.cast(x, 'int32') : x;
    const run = tf.customGrad((...args) => {
      const [values, save] = args as unknown as [TfTensor, (t: TfTensor[]) => void];
      const y = tf[kind](values, -1, true);
      save([values, y]);
      return {
        value: y,
        gradFunc: (dy: TfTensor, saved: TfTensor[]) => {
          const hits = tf.cast(tf.equal(saved[0], saved[1]), 'float32');
          return tf.mul(hits, tf.div(dy, tf.sum(hits, -1, true)));
        },
      };
    });
    const y = run(given);
    return x.dtype === 'bool' ? tf.cast(y, 'bool') : y;
  };

const max = extremum('max');
const sum: RowOp = (tf, x) => tf.sum(x, -1);

/** Integer division truncates towards zero. */
const mean: RowOp = (tf, x) => {
  if (x.dtype === 'float32') return tf.mean(x, -1);
  return tf.cast(tf.div(tf.cast(tf.sum(x, -1), 'float32'), x.shape[1]!), 'int32');
};

const logSumExp: RowOp = (tf, x) => {
  // Subtracting the largest value keeps the powers finite; its gradient cancels out.
  const run = tf.customGrad((...args) => {
    const [values, save] = args as unknown as [TfTensor, (t: TfTensor[]) => void];
    const top = tf.max(values, -1, true);
    const y = tf.add(tf.log(tf.sum(tf.exp(tf.sub(values, top)), -1, true)), top);
    save([values, y]);
    return {
      value: y,
      gradFunc: (dy: TfTensor, saved: TfTensor[]) => tf.mul(tf.exp(tf.sub(saved[0], saved[1])), dy),
    };
  });
  return run(x);
};

/** Sign has no gradient, so the product's is sign(x), and 0 at 0. */
const absolute = (tf: Tf, x: TfTensor): TfTensor => tf.mul(x, tf.sign(x));

const argExtremum =
  (kind: 'argMax' | 'argMin'): Op =>
  (c) => {
    const { tf } = c;
    const dims = c.dims(0);
    const axis = fromFront(attrInt(c.node, 'axis', 0), dims.length);
    const rows = aroundAxis(dims, axis);
    const last = attrInt(c.node, 'select_last_index', 0) === 1;
    const given = tf.reshape(c.tensor(0), rows);
    // Reversed, since kernels return the first of equal values.
    const x = last ? gatherMiddle(tf, given, tf.range(rows[1] - 1, -1, -1, 'int32')) : given;
    const found = tf[kind](tf.reshape(tf.transpose(x, [0, 2, 1]), [-1, rows[1]]), -1);
    const index = last ? tf.sub(tf.scalar(rows[1] - 1, 'int32'), found) : found;
    const kept = dims.map((d, i) => (i === axis ? 1 : d));
    const out = attrInt(c.node, 'keepdims', 1) ? kept : dims.filter((_, i) => i !== axis);
    return [c.out(tf.reshape(tf.cast(index, 'int32'), out), DType.int64)];
  };

/** 1 at the first of the largest along an axis, else 0. */
const hardmax: Op = (c) => {
  const { tf } = c;
  const dims = c.dims(0);
  const [before, size, after] = aroundAxis(dims, fromFront(attrInt(c.node, 'axis', -1), dims.length));
  const rows = tf.transpose(tf.reshape(c.tensor(0), [before, size, after]), [0, 2, 1]);
  const hits = tf.oneHot(tf.argMax(rows, -1), size);
  return [c.out(tf.reshape(tf.transpose(tf.cast(hits, 'float32'), [0, 2, 1]), dims))];
};

export const reductions: OpTable = {
  ReduceSum: reduceWith(sum),
  ReduceMean: reduceWith(mean, NaN),
  ReduceMax: reduceWith(max, -Infinity),
  ReduceMin: reduceWith(extremum('min'), Infinity),
  ReduceProd: reduceWith((tf, x) => tf.prod(x, -1), 1),
  ReduceL1: reduceWith((tf, x) => tf.sum(absolute(tf, x), -1), 0, absolute),
  ReduceL2: reduceWith((tf, x) => tf.sqrt(tf.sum(tf.square(x), -1)), 0, absolute),
  ReduceSumSquare: reduceWith(
    (tf, x) => tf.sum(tf.square(x), -1),
    0,
    (tf, x) => tf.square(x),
  ),
  ReduceLogSum: reduceWith(
    (tf, x) => tf.log(tf.sum(x, -1)),
    -Infinity,
    (tf, x) => tf.log(x),
  ),
  ReduceLogSumExp: reduceWith(logSumExp, -Infinity),
  ArgMax: argExtremum('argMax'),
  ArgMin: argExtremum('argMin'),
  Hardmax: hardmax,
};

/**
 * Along the last of three axes: elsewhere the gradient of tfjs 4.22 has its axes swapped. Sums from the end by
 * reversing, since its WebGPU kernel adds incorrectly in that direction.
 */
function sumAlong(tf: Tf, x: TfTensor, exclusive: boolean, reverse: boolean): TfTensor {
  if (!reverse) return tf.cumsum(x, 2, exclusive);
  return tf.reverse(tf.cumsum(tf.reverse(x, 2), 2, exclusive), 2);
}

const cumSum: Op = (c) => {
  const { tf } = c;
  const dims = c.dims(0);
  const axis = axisOf(c, c.ints(1)[0]);
  const exclusive = attrInt(c.node, 'exclusive', 0) === 1;
  const reverse = attrInt(c.node, 'reverse', 0) === 1;
  const x = c.tensor(0);
  if (x.size === 0) return [c.inputs[0]!];
  const last = tf.transpose(tf.reshape(x, aroundAxis(dims, axis)), [0, 2, 1]);
  const run = tf.customGrad((...args) => ({
    value: sumAlong(tf, args[0] as TfTensor, exclusive, reverse),
    gradFunc: (dy: TfTensor) => sumAlong(tf, dy, exclusive, !reverse),
  }));
  return [c.out(tf.reshape(tf.transpose(run(last), [0, 2, 1]), dims))];
};

/** Gathers the values by the sorted indices, since tfjs has no gradient for its sort. */
const topK: Op = (c) => {
  const { tf } = c;
  const dims = c.dims(0);
  const axis = axisOf(c, attrInt(c.node, 'axis', -1));
  const [k] = c.ints(1);
  const [before, size, after] = aroundAxis(dims, axis);
  const rows = tf.reshape(tf.transpose(tf.reshape(c.tensor(0), [before, size, after]), [0, 2, 1]), [
    before * after,
    size,
  ]);
  const sorted = attrInt(c.node, 'largest', 1) ? rows : tf.neg(rows);
  const found = tf.cast(tf.topk(sorted, k, true).indices, 'int32');
  const first = tf.mul(tf.range(0, before * after, 1, 'int32'), tf.scalar(size, 'int32'));
  const places = tf.reshape(tf.add(found, tf.reshape(first, [-1, 1])), [-1]);
  const values = gatherMiddle(tf, tf.reshape(rows, [1, -1, 1]), places);
  const out = dims.map((d, i) => (i === axis ? k : d));
  const back = (t: typeof values) =>
    tf.reshape(tf.transpose(tf.reshape(t, [before, after, k]), [0, 2, 1]), out);
  return [c.out(back(values)), c.out(back(found), DType.int64)];
};

export const ordered: OpTable = { CumSum: cumSum, TopK: topK };
