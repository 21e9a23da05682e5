import { AuroraError } from '../../base/errors';
import { attrInt } from '../attributes';
import type { Declared } from '../declared';
import { DType, dtypeName } from '../dtype';
import type { Graph, Node } from '../model';
import { type Rewrite, takeAttribute } from '../rewrite';

/** Types that came after the internal opset: floats of four bits, powers of two, integers of two bits. */
const isNew = (dtype: number): boolean => dtype >= DType.float4e2m1;

/** Floats of eight bits and integers of four are types of weights: ONNX Runtime's JavaScript API has no such tensors. */
const isForWeights = (dtype: number): boolean => dtype >= DType.float8e4m3fn;

/** Cast's round_mode, of opset 24, is for newer types alone. */
export const cast: Rewrite = (node, c) => {
  const type = attrInt(node, 'to', 0);
  if (isForWeights(type)) throw refusal(`${named(node)} casts to ${dtypeName(type)}`);
  node.attributes.delete('round_mode');
  c.emit(node);
};

/** @throws AuroraError 'model' if the node makes a tensor of a type for weights */
function refuseQuantized(node: Node, declared: Declared): void {
  const type = attrInt(node, 'output_dtype', 0) || declared.dtype(node.inputs[2] ?? '') || DType.uint8;
  if (isForWeights(type))
    throw refusal(`${named(node)} quantizes to ${dtypeName(type)} while the model runs`);
}

/** @throws AuroraError 'model' for constants of a type that the internal opset lacks */
export function refuseNewTypes(graph: Graph): void {
  for (const { name, dtype } of [...graph.initializers.values(), ...graph.inputs])
    if (isNew(dtype)) throw refusal(`The tensor ${name} has the type ${dtypeName(dtype)}`);
}

/** An operator that the internal opset cannot express. */
export const refuse: Rewrite = (node) => {
  throw refusal(`${named(node)} is a ${node.opType}`);
};

const named = (node: Node): string => `The node ${node.name || node.outputs[0]}`;

const refusal = (what: string): AuroraError =>
  new AuroraError(
    'model',
    `${what}, which is not supported.`,
    'Export the model again with opset 21 or lower, or train on it before it was quantized.',
  );

/** Since opset 23, QuantizeLinear divides in the type of its scale or in `precision`; before, all had one type. */
export const quantizeLinear: Rewrite = (node, c) => {
  refuseQuantized(node, c.declared);
  const [x, scale] = node.inputs;
  const own = [x, scale].map((name) => c.declared.floatType(name));
  const type = attrInt(node, 'precision', 0) || own[1];
  takeAttribute(node, 'precision');
  [x, scale].forEach((name, i) => {
    if (own[i] !== type) node.inputs[i] = c.g.op('Cast', [name], { to: type });
  });
  c.emit(node);
};

/** Since opset 23, DequantizeLinear may name the type of its output; before, it was that of the scale. */
export const dequantizeLinear: Rewrite = (node, c) => {
  const type = attrInt(node, 'output_dtype', 0);
  takeAttribute(node, 'output_dtype');
  if (type === 0 || type === c.declared.floatType(node.inputs[1])) {
    c.emit(node);
    return;
  }
  const [y] = node.outputs;
  node.outputs[0] = c.g.fresh('DequantizeLinear');
  c.emit(node);
  c.produce(y, 'Cast', [node.outputs[0]], { to: type });
};
