import { attrFloat, attrInt } from '../attributes';
import { DType } from '../dtype';
import type { Model, Node } from '../model';
import { rewriteModel, setInput, type Rewrite, type RewriteContext } from '../rewrite';
import { tensorNumbers } from '../values';
import { own } from '../../base/names';

const typed = (c: RewriteContext, x: string) => {
  const dtype = c.declared.floatType(x);
  return { dtype, number: (v: number) => c.g.scalar(v, dtype) };
};

/** [x > 0] − [x < 0]. */
const sign: Rewrite = (node, c) => {
  const [x] = node.inputs;
  const { dtype, number } = typed(c, x);
  const is = (op: string) => c.g.op('Cast', [c.g.op(op, [x, number(0)])], { to: dtype });
  c.replace(node, 'Sub', [is('Greater'), is('Less')]);
};

/** x − max − log Σ exp(x − max). */
const logSoftmax: Rewrite = (node, c) => {
  const axis = c.g.ints([attrInt(node, 'axis', -1)]);
  const shifted = c.g.op('Sub', [
    node.inputs[0],
    c.g.op('ReduceMax', [node.inputs[0], axis], { keepdims: 1 }),
  ]);
  const sum = c.g.op('ReduceSum', [c.g.op('Exp', [shifted]), axis], { keepdims: 1 });
  c.replace(node, 'Sub', [shifted, c.g.op('Log', [sum])]);
};

/** x / (1 + |x|). */
const softsign: Rewrite = (node, c) => {
  const [x] = node.inputs;
  c.replace(node, 'Div', [x, c.g.op('Add', [c.g.op('Abs', [x]), typed(c, x).number(1)])]);
};

/** A sum of any number of tensors, two at a time. */
const sum: Rewrite = (node, c) => {
  const [first, ...rest] = node.inputs;
  const last = rest.pop();
  if (last === undefined) return c.replace(node, 'Identity', [first]);
  c.replace(node, 'Add', [rest.reduce((a, b) => c.g.op('Add', [a, b]), first), last]);
};

const mean: Rewrite = (node, c) => {
  const [first, ...rest] = node.inputs;
  const total = rest.reduce((a, b) => c.g.op('Add', [a, b]), first);
  c.replace(node, 'Mul', [total, typed(c, first).number(1 / node.inputs.length)]);
};

/** gamma · elu(x). */
const selu: Rewrite = (node, c) => {
  const alpha = attrFloat(node, 'alpha', 1.67326319217681884765625);
  const gamma = attrFloat(node, 'gamma', 1.05070102214813232421875);
  const elu = c.g.op('Elu', node.inputs, { alpha: { float: alpha } });
  c.replace(node, 'Mul', [elu, typed(c, node.inputs[0]).number(gamma)]);
};

/** alpha · elu(x / alpha). */
const celu: Rewrite = (node, c) => {
  const { number } = typed(c, node.inputs[0]);
  const alpha = number(attrFloat(node, 'alpha', 1));
  c.replace(node, 'Mul', [c.g.op('Elu', [c.g.op('Div', [node.inputs[0], alpha])]), alpha]);
};

/** [index = class] along a new last axis; an index below 0 counts from the end. */
const oneHot: Rewrite = (node, c) => {
  const [indices, depth, values] = node.inputs;
  const dtype = c.declared.dtype(indices) ?? DType.int64;
  const size = tensorNumbers(c.constant(depth)!)[0];
  const classes = c.g.constant(
    dtype,
    [size],
    Array.from({ length: size }, (_, i) => i),
  );
  const column = c.g.op('Unsqueeze', [indices, c.g.ints([-1])]);
  const wrapped = c.g.op('Add', [column, c.g.scalar(size, dtype)]);
  const index = c.g.op('Where', [c.g.op('Less', [column, c.g.scalar(0, dtype)]), wrapped, column]);
  const pick = (i: number) => c.g.op('Gather', [values, c.g.scalar(i, DType.int64)]);
  c.replace(node, 'Where', [c.g.op('Equal', [index, classes]), pick(1), pick(0)]);
};

/** Outside training it passes its input through. One with a mask stays. */
const dropout: Rewrite = (node, c) => c.replace(node, 'Identity', [node.inputs[0]]);

/** Powers of integers, as floats. */
const pow: Rewrite = (node, c) => {
  const exponent = c.constant(node.inputs[1])!;
  setInput(
    node,
    1,
    c.g.constant(typed(c, node.inputs[0]).dtype, exponent.dims, Array.from(tensorNumbers(exponent))),
  );
  c.emit(node);
};

const SIMPLE: Record<string, Rewrite> = {
  Sign: sign,
  LogSoftmax: logSoftmax,
  Softsign: softsign,
  Sum: sum,
  Mean: mean,
  Selu: selu,
  Celu: celu,
};

/**
 * A copy of a model at the internal opset without the float operators that ONNX Runtime's WebGPU provider lacks, as far
 * as others give the same numbers: each would be a round trip to the CPU.
 */
export function webgpuOperators(model: Model): Model {
  const constantOf = (name: string) => model.graph.initializers.get(name);
  const isInteger = (dtype: number | undefined) => dtype === DType.int64 || dtype === DType.int32;
  return rewriteModel(model, '/webgpu', (node: Node) => {
    if (node.domain !== '') return undefined;
    if (node.opType === 'Dropout') return node.outputs.length === 1 && !node.inputs[2] ? dropout : undefined;
    if (node.opType === 'Pow') return isInteger(constantOf(node.inputs[1])?.dtype) ? pow : undefined;
    if (node.opType === 'OneHot')
      return constantOf(node.inputs[1]) && attrInt(node, 'axis', -1) === -1 ? oneHot : undefined;
    return own(SIMPLE, node.opType);
  });
}
