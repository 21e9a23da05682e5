import type { Tensor } from '@tensorflow/tfjs-core';
import { AuroraError } from '../../../base/errors';
import { attrFloat, attrInt, attrString } from '../../../graph/attributes';
import { elementCount } from '../../../graph/model';
import { describeNode } from '../context';
import { broadcastDims } from '../host/layout';
import type { Op, OpContext, OpTable, Tf } from '../op';
import { expanded } from './shape';

/**
 * NumPy's product. Vectors become matrices first. Batch axes are broadcast here, since the gradient of tfjs' matMul
 * ignores broadcasting. Exception: one matrix on the right, for which the left's axes are rows.
 */
export function product(tf: Tf, a: Tensor, b: Tensor): Tensor {
  if (a.rank === 1) return tf.squeeze(product(tf, tf.expandDims(a, 0), b), [Math.max(b.rank, 2) - 2]);
  if (b.rank === 1) return tf.squeeze(product(tf, a, tf.expandDims(b, 1)), [a.rank - 1]);
  const rows = a.shape.slice(0, -1);
  const inner = a.shape[a.rank - 1];
  const columns = b.shape[b.rank - 1];
  if (b.rank === 2) {
    const flat = matrices(tf, tf.reshape(a, [elementCount(rows), inner]), b);
    return tf.reshape(flat, [...rows, columns]);
  }
  const batch = broadcastDims(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const left = expanded(tf, a, [...batch, ...a.shape.slice(-2)]);
  const right = expanded(tf, b, [...batch, ...b.shape.slice(-2)]);
  const stacked = tf.matMul(
    tf.reshape(left, [elementCount(batch), left.shape[left.rank - 2], inner]),
    tf.reshape(right, [elementCount(batch), inner, columns]),
  );
  return tf.reshape(stacked, [...batch, left.shape[left.rank - 2], columns]);
}

/** The product of two matrices, which may have no rows or columns: kernels do not accept sizes of 0. */
function matrices(tf: Tf, a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  if (a.size > 0 && b.size > 0) return tf.matMul(a, b, transposeA, transposeB);
  const run = tf.customGrad(() => ({
    value: tf.zeros([a.shape[transposeA ? 1 : 0]!, b.shape[transposeB ? 0 : 1]!]),
    gradFunc: () => [tf.zeros(a.shape), tf.zeros(b.shape)],
  }));
  return run(a, b);
}

/** α·A′·B′ + β·C, where ′ is a transpose if the attribute is set. */
const gemm: Op = (c) => {
  const { tf } = c;
  const transpose = (name: string) => attrInt(c.node, name, 0) === 1;
  const scaled = (x: Tensor, by: number) => (by === 1 ? x : tf.mul(x, by));
  const alpha = attrFloat(c.node, 'alpha', 1);
  const y = scaled(matrices(tf, c.tensor(0), c.tensor(1), transpose('transA'), transpose('transB')), alpha);
  return [c.out(c.has(2) ? tf.add(y, scaled(c.tensor(2), attrFloat(c.node, 'beta', 1))) : y)];
};

export const matmul: OpTable = {
  MatMul: (c) => [c.out(product(c.tf, c.tensor(0), c.tensor(1)))],
  Gemm: gemm,
};

/** A tensor with a label for each of its axes. */
interface Term {
  tensor: Tensor;
  labels: string[];
}

/** Einsum as batched matrix products, two operands at a time: tfjs' own Einsum has no gradient. */
const einsumOp: Op = (c) => {
  const { tf } = c;
  const { operands, output } = parse(c);
  const terms = operands.map((labels, i): Term => ({ tensor: c.tensor(i), labels }));
  let left = terms[0];
  terms.slice(1).forEach((right, i) => {
    const later = new Set([...output, ...terms.slice(i + 2).flatMap((t) => t.labels)]);
    left = contract(
      tf,
      sumOut(tf, left, (l) => later.has(l) || right.labels.includes(l)),
      right,
      later,
    );
  });
  left = sumOut(tf, left, (l) => output.includes(l));
  return [c.out(ordered(tf, left, output))];
};

/** Labels by operand, with the ellipsis expanded to separate labels. */
function parse(c: OpContext): { operands: string[][]; output: string[] } {
  const equation = attrString(c.node, 'equation', '').replace(/\s/g, '');
  const [given, result] = equation.split('->');
  const terms = given.split(',');
  const depth = (term: string, i: number) =>
    term.includes('...') ? c.dims(i).length - (term.length - 3) : 0;
  const widest = Math.max(...terms.map(depth));
  const spell = (term: string, axes: number) =>
    term
      .split(/(\.\.\.)/)
      .flatMap((part) =>
        part === '...' ? Array.from({ length: axes }, (_, k) => `.${widest - axes + k}`) : [...part],
      );
  const operands = terms.map((term, i) => spell(term, depth(term, i)));
  for (const labels of operands)
    if (new Set(labels).size !== labels.length)
      throw new AuroraError(
        'operator',
        `TensorFlow.js cannot take the diagonal in "${equation}" of ${describeNode(c.node)}.`,
        'Use the ONNX Runtime engine for this model.',
      );
  const all = operands.flat();
  // Without an arrow, the output has the ellipsis, then the labels that occur once, in alphabetical order.
  const implicit = [...new Set(all)]
    .filter((l) => l.startsWith('.') || all.filter((m) => m === l).length === 1)
    .sort();
  return { operands, output: result === undefined ? implicit : spell(result, widest) };
}

function sumOut(tf: Tf, term: Term, keep: (label: string) => boolean): Term {
  const gone = term.labels.flatMap((l, i) => (keep(l) ? [] : [i]));
  if (gone.length === 0) return term;
  return { tensor: tf.sum(term.tensor, gone), labels: term.labels.filter(keep) };
}

function ordered(tf: Tf, { tensor, labels }: Term, wanted: string[]): Tensor {
  const order = wanted.map((l) => labels.indexOf(l));
  return order.every((axis, i) => axis === i) ? tensor : tf.transpose(tensor, order);
}

/**
 * The product of two operands: labels of both that are read later are batch axes, the other shared ones are summed
 * over.
 */
function contract(tf: Tf, left: Term, right: Term, later: ReadonlySet<string>): Term {
  const b = sumOut(tf, right, (l) => later.has(l) || left.labels.includes(l));
  const shared = left.labels.filter((l) => b.labels.includes(l));
  const batch = shared.filter((l) => later.has(l));
  const summed = shared.filter((l) => !later.has(l));
  const rows = left.labels.filter((l) => !shared.includes(l));
  const columns = b.labels.filter((l) => !shared.includes(l));
  const size = (l: string) =>
    Math.max(
      ...[left, b].flatMap((t) => (t.labels.includes(l) ? [t.tensor.shape[t.labels.indexOf(l)]] : [])),
    );
  const sizes = (labels: string[]) => labels.map(size);
  const as = (term: Term, order: string[], groups: string[][]) =>
    tf.reshape(
      expanded(tf, ordered(tf, term, order), sizes(order)),
      groups.map((g) => elementCount(sizes(g))),
    );
  const product = tf.matMul(
    as(left, [...batch, ...rows, ...summed], [batch, rows, summed]),
    as(b, [...batch, ...summed, ...columns], [batch, summed, columns]),
  );
  const labels = [...batch, ...rows, ...columns];
  return { tensor: tf.reshape(product, sizes(labels)), labels };
}

export const einsum: OpTable = { Einsum: einsumOp };
