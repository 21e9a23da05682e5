import { attrFloat, attrInt, toAttribute } from '../attributes';
import { DType } from '../dtype';
import type { Graph, Node, Tensor } from '../model';
import { dequantized, dequantizedValues } from '../quantized/dequantize';
import { bnb4Of, bnb4Values, isBnb4 } from '../quantized/bnb4';
import { isDynamic } from '../quantized/dynamic-quantization';
import { isNBits, nbitsOf, nbitsRows } from '../quantized/nbits';
import { floatValues, tensorNumbers } from '../values';
import { PACKED } from './module-path';

/** A constant, as one of a node's inputs reads it. */
export interface WeightOperand {
  tensor: Tensor;
  /** The sizes of the constant as it is stored: (out, in) if `transposed`. */
  dims: number[];
  transposed: boolean;
  /** True if the node reads the stored values themselves. */
  plain: boolean;
  /** The type of the values that the node reads. */
  type: number;
  /** Otherwise: the values that it reads, in the order of `dims`, if they can be computed here. */
  values?: () => Float32Array;
  /** The part of the tensor's last axis. */
  part?: { from: number; size: number };
  /** The layer is applied to a constant, such as relative position embeddings. */
  onConstant?: boolean;
}

/** Operators that exporters put between a weight and its layer. */
export const PASSES = new Set(['Identity', 'Transpose', 'Cast', 'DequantizeLinear']);

/** Every constant, under its own name and the names after the operators that exporters put between it and its layer. */
export function weightOperands(graph: Graph): Map<string, WeightOperand> {
  const operands = new Map<string, WeightOperand>();
  for (const tensor of graph.initializers.values())
    operands.set(tensor.name, {
      tensor,
      dims: tensor.dims,
      transposed: false,
      plain: true,
      type: tensor.dtype,
    });
  for (const node of graph.nodes) {
    const { opType, inputs, outputs } = node;
    const found = PASSES.has(opType) || opType === 'Split' ? operands.get(inputs[0]) : undefined;
    if (!found) continue;
    if (opType === 'Split') {
      for (const [i, part] of partsOf(graph, node).entries())
        operands.set(outputs[i], {
          ...found,
          dims: [...found.dims.slice(0, -1), part.size],
          part,
          values: undefined,
        });
      continue;
    }
    const transposed = opType === 'Transpose' ? !found.transposed : found.transposed;
    if (opType === 'Identity' || opType === 'Transpose') operands.set(outputs[0], { ...found, transposed });
    else
      operands.set(outputs[0], {
        ...found,
        transposed,
        plain: false,
        type: typeAfter(graph, node, found),
        values: valuesAfter(graph, node, found),
      });
  }
  return operands;
}

/** The parts of a fused operator's weight. In other files, weights are not divided between modules. */
function partsOf(graph: Graph, { inputs, metadata }: Node): { from: number; size: number }[] {
  const sizes = metadata.has(PACKED) ? graph.initializers.get(inputs[1]) : undefined;
  let from = 0;
  return (sizes ? tensorNumbers(sizes) : []).map((size) => ({ from: (from += size) - size, size }));
}

const typeAfter = (graph: Graph, node: Node, { type }: WeightOperand): number =>
  node.opType === 'Cast'
    ? attrInt(node, 'to', type)
    : (graph.initializers.get(node.inputs[1])?.dtype ?? DType.float);

function valuesAfter(graph: Graph, node: Node, { tensor, plain, transposed, values }: WeightOperand) {
  const constant = (name: string) => graph.initializers.get(name);
  if (node.opType === 'Cast') {
    if (attrInt(node, 'to', 0) !== DType.float) return undefined;
    return plain ? () => floatValues(tensor) : values;
  }
  // Its axis is that of the stored constant.
  if (!plain || transposed || !node.inputs.slice(1).every((x) => x === '' || constant(x))) return undefined;
  return () => dequantizedValues({ ...node, inputs: [tensor.name, ...node.inputs.slice(1)] }, constant)!;
}

/** The weight of a linear layer's node; undefined for any other node. */
export function linearOperand(
  graph: Graph,
  operands: Map<string, WeightOperand>,
  node: Node,
): WeightOperand | undefined {
  const onConstant = operands.has(node.inputs[0]);
  if (isNBits(node)) {
    const w = nbitsOf(node, (name) => graph.initializers.get(name));
    const dims = [w.outFeatures, w.inFeatures];
    const values = () => nbitsRows(w);
    const type = w.scales.dtype;
    return { tensor: w.weight, dims, transposed: true, plain: false, onConstant, type, values };
  }
  if (isBnb4(node)) {
    const w = bnb4Of(node, (name) => graph.initializers.get(name));
    const dims = [w.outFeatures, w.inFeatures];
    const values = () => bnb4Values(w);
    return { tensor: w.weight, dims, transposed: true, plain: false, onConstant, type: DType.float, values };
  }
  if (isDynamic(node)) {
    const [, w, s, z] = node.inputs.map((name) => graph.initializers.get(name));
    if (w?.dims.length !== 2 || !s || (node.inputs[3] && !z)) return undefined;
    const values = () => dequantized(w, s, z, 1, 0);
    return {
      tensor: w,
      dims: w.dims,
      transposed: false,
      plain: false,
      onConstant,
      type: DType.float,
      values,
    };
  }
  if (node.domain !== '') return undefined;
  const gemm = node.opType === 'Gemm';
  if (!gemm && node.opType !== 'MatMul') return undefined;
  // Gemm's transA leaves no leading batch axis.
  if (gemm && attrInt(node, 'transA', 0) === 1) return undefined;
  const found = operands.get(node.inputs[1]);
  if (!found || found.tensor.dims.length !== 2) return undefined;
  const operand = { ...found, onConstant };
  return gemm && attrInt(node, 'transB', 0) === 1 ? { ...operand, transposed: !operand.transposed } : operand;
}

/** The values (out, in) that a layer multiplies by, if they are not those of its constant. */
export function computedWeight(operand: WeightOperand, node: Node): (() => Float32Array) | undefined {
  const { values, dims, transposed } = operand;
  if (!values) return undefined;
  const alpha = node.opType === 'Gemm' ? attrFloat(node, 'alpha', 1) : 1;
  return () => {
    const stored = values();
    if (transposed && alpha === 1) return stored;
    const [rows, columns] = dims;
    return Float32Array.from(stored, (_, at) => {
      if (transposed) return alpha * stored[at];
      // From (in, out).
      const [o, i] = [Math.floor(at / rows), at % rows];
      return alpha * stored[i * columns + o];
    });
  };
}

/** The index of a linear layer's input that is its bias; 0 for an operator that has none. */
export function ownBias(node: Node): number {
  if (node.opType === 'Gemm') return 2;
  const at = isNBits(node) ? 5 : isDynamic(node) ? 4 : 0;
  return node.inputs[at] ? at : 0;
}

/**
 * The nodes that take the place of a linear layer's node whose weight is in float32 now: (in, out), with this name.
 *
 * @param x the features in the order of the module
 */
export function inFloat(node: Node, weight: string, x = node.inputs[0]): Node[] {
  const [y] = node.outputs;
  if (node.opType === 'Gemm') {
    const attributes = new Map(node.attributes)
      .set('transB', toAttribute(0))
      .set('alpha', toAttribute({ float: 1 }));
    return [{ ...node, attributes, inputs: [x, weight, ...node.inputs.slice(2)] }];
  }
  const bias = node.inputs[ownBias(node)];
  const plain = { ...node, domain: '', attributes: new Map() };
  if (!ownBias(node)) return [{ ...plain, opType: 'MatMul', inputs: [x, weight] }];
  const product = `${y}/product`;
  return [
    { ...plain, opType: 'MatMul', inputs: [x, weight], outputs: [product] },
    { ...plain, name: `${node.name || y}/bias`, opType: 'Add', inputs: [product, bias] },
  ];
}
