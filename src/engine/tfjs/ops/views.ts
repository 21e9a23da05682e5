import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { attrInt, attrInts } from '../../../graph/attributes';
import { DType } from '../../../graph/dtype';
import { elementCount } from '../../../graph/model';
import { AuroraError } from '../../../base/errors';
import { fromFront, offsets, reshapedDims, squeezedDims, stridesOf, unsqueezedDims } from '../host/layout';
import { isHost, numbersOf, pick } from '../host/host-values';
import type { Op, OpTable, Tf } from '../op';
import { view } from './take';

const reshape: Op = (c) => {
  const dims = reshapedDims(c.dims(0), c.ints(1), attrInt(c.node, 'allowzero', 0) === 1);
  return [view(c, c.inputs[0]!, dims)];
};

const flatten: Op = (c) => {
  const dims = c.dims(0);
  const axis = fromFront(attrInt(c.node, 'axis', 1), dims.length);
  return [view(c, c.inputs[0]!, [elementCount(dims.slice(0, axis)), elementCount(dims.slice(axis))])];
};

const squeeze: Op = (c) => [view(c, c.inputs[0]!, squeezedDims(c.dims(0), c.has(1) ? c.ints(1) : undefined))];

const unsqueeze: Op = (c) => [view(c, c.inputs[0]!, unsqueezedDims(c.dims(0), c.ints(1)))];

const identity: Op = (c) => [c.inputs[0]!];

const transpose: Op = (c) => {
  const dims = c.dims(0);
  const perm = attrInts(c.node, 'perm') ?? dims.map((_, i) => dims.length - 1 - i);
  const out = perm.map((p) => dims[p]);
  const v = c.inputs[0]!;
  if (isHost(v)) {
    const strides = stridesOf(dims);
    const places = offsets(
      out,
      perm.map((p) => strides[p]),
    );
    return [pick(v.tensor, out, places)];
  }
  return [c.out(c.tf.reshape(permute(c.tf, v.tensor, perm), out))];
};

/**
 * With axes of size 1 dropped and axes that stay adjacent merged: kernels are limited to rank 6, and fewer axes are
 * faster.
 */
function permute(tf: Tf, x: TfTensor, perm: readonly number[]): TfTensor {
  const groups: number[][] = [];
  for (const p of perm.filter((axis) => x.shape[axis] !== 1)) {
    const last = groups.at(-1);
    const between = last && x.shape.slice(last.at(-1)! + 1, Math.max(p, last.at(-1)! + 1));
    if (last && p > last.at(-1)! && between!.every((d) => d === 1)) last.push(p);
    else groups.push([p]);
  }
  const sorted = groups.toSorted((a, b) => a[0] - b[0]);
  if (groups.length < 2 || x.size === 0) return x;
  const merged = tf.reshape(
    x,
    sorted.map((g) => elementCount(g.map((axis) => x.shape[axis]))),
  );
  return tf.transpose(
    merged,
    groups.map((g) => sorted.indexOf(g)),
  );
}

/** Dropout as in evaluation. In training it would draw numbers that no other engine draws. */
const dropout: Op = (c) => {
  const training = c.has(2) ? c.inputs[2]! : undefined;
  const ratio = c.has(1) && isHost(c.inputs[1]) ? numbersOf(c.inputs[1].tensor)[0] : 0.5;
  if (training && ratio !== 0 && c.ints(2)[0] !== 0)
    throw new AuroraError(
      'operator',
      `The Dropout node ${c.node.name || c.node.outputs[0]} is in training mode and draws different random numbers on each engine.`,
      'Export the model in evaluation mode; dropout of the adapters is set by adapter.dropout.',
    );
  return c.node.outputs.length > 1
    ? [c.inputs[0]!, c.out(c.tf.ones(c.dims(0), 'bool'), DType.bool)]
    : [c.inputs[0]!];
};

export const views: OpTable = {
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Identity: identity,
  Transpose: transpose,
  Dropout: dropout,
};
