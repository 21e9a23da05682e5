import { DType } from '../dtype';
import { linearOperand, weightOperands, type WeightOperand } from '../layers/weight-operands';
import type { Graph, Node } from '../model';
import { convolutionOperand } from './convolutions';
import { type ColumnWeight, columnWeight } from '../quantized/columns';
import { readsOf } from '../reads';

/** In the metadata of a product in a step's graph whose second factor is a frozen weight: the weight's name there. */
const MARK = 'aurora.frozenProduct';

/** Weights of other types are quantized already: those in int8 columns can be multiplied as they are. */
const FLOATS: readonly number[] = [DType.float, DType.float16, DType.bfloat16];

/** Rounding the rows of a narrower product takes as long as the product. */
export const LEAST_WIDTH = 16;

/**
 * A copy of a forward graph that marks the products of the data's tensors and the user's own weights. The products of a
 * gradient and the same weight inherit the mark (`inheritMark`). A product of two weights, as DoRA's, has none.
 *
 * @param own the user's graph: constants of adapters are not its weights
 * @param trained inputs that are not data
 */
export function markFrozenProducts(graph: Graph, own: Graph, trained: readonly string[]): Graph {
  const operands = weightOperands(graph);
  const columns = columnWeights(graph);
  const data = new Set(graph.inputs.map((i) => i.name));
  for (const name of [...trained, ...graph.initializers.keys()]) data.delete(name);
  const nodes = graph.nodes.map((node) => {
    if (readsOf(node).some((x) => data.has(x))) node.outputs.forEach((y) => data.add(y));
    const operand = data.has(node.inputs[0]) ? productOperand(graph, operands, node) : undefined;
    if (
      !operand ||
      !(isFrozen(operand) || isStored(operand, columns.get(node.inputs[1]))) ||
      !own.initializers.has(operand.tensor.name)
    )
      return node;
    return { ...node, metadata: new Map(node.metadata).set(MARK, node.inputs[1]) };
  });
  return { ...graph, nodes };
}

/** The weight of a linear layer or a convolution. */
const productOperand = (
  graph: Graph,
  operands: Map<string, WeightOperand>,
  node: Node,
): WeightOperand | undefined => convolutionOperand(operands, node) ?? linearOperand(graph, operands, node);

const isFrozen = ({ tensor, type, dims, plain, values }: WeightOperand): boolean =>
  FLOATS.includes(tensor.dtype) &&
  type === DType.float &&
  Math.min(...dims.slice(0, 2)) >= LEAST_WIDTH &&
  (plain || values !== undefined);

const isStored = ({ dims }: WeightOperand, weight: ColumnWeight | undefined): boolean =>
  weight !== undefined && Math.min(...dims) >= LEAST_WIDTH;

/** The weights in int8 columns, by the name of the tensor that has them in float32. */
export function columnWeights(graph: Graph): Map<string, ColumnWeight> {
  const found = new Map<string, ColumnWeight>();
  for (const node of graph.nodes) {
    const weight = columnWeight(node, (name) => graph.initializers.get(name));
    if (weight) found.set(node.outputs[0], weight);
  }
  return found;
}

const PRODUCTS: ReadonlySet<string> = new Set(['MatMul', 'Gemm', 'Conv', 'ConvTranspose']);

/**
 * The backward pass reads a quantized weight under another name, since it dequantizes it again.
 *
 * @param emitted by the gradient rule of `from`
 */
export function inheritMark(from: Node, emitted: readonly Node[]): void {
  const mark = from.metadata.get(MARK);
  if (mark === undefined) return;
  const weights = new Set([from.inputs[1]]);
  for (const node of emitted)
    if (node.opType === 'DequantizeLinear') weights.add(node.outputs[0]);
    else if (weights.has(node.inputs[1]) && PRODUCTS.has(node.opType)) node.metadata.set(MARK, mark);
}

/** A marked product. */
export interface FrozenProduct {
  node: Node;
  /** The name of the layer's weight, which all products of a layer share, forward and backward. */
  layer: string;
  operand: WeightOperand;
  /** Set if the weight is in int8 already. */
  stored?: ColumnWeight;
}

export const isConvolution = ({ operand }: FrozenProduct): boolean => operand.tensor.dims.length === 4;

/** In order, by their first output. */
export function frozenProducts(graph: Graph): Map<string, FrozenProduct> {
  const operands = weightOperands(graph);
  const columns = columnWeights(graph);
  const found = new Map<string, FrozenProduct>();
  for (const node of graph.nodes) {
    const layer = node.metadata.get(MARK);
    const operand = layer === undefined ? undefined : productOperand(graph, operands, node);
    const stored = columns.get(layer!);
    if (operand) found.set(node.outputs[0], { node, layer: layer!, operand, ...(stored && { stored }) });
  }
  return found;
}
