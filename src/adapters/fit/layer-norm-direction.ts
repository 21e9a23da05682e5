import type { Graph, Node, Tensor } from '../../graph/model';
import { elementCount } from '../../graph/model';
import { floatValues } from '../../graph/values';

/** They may drop tokens or arrange them differently, but leave the features of each as they are. */
const KEEP_FEATURES: ReadonlySet<string> = new Set(
  'Identity Reshape Flatten Gather Slice Squeeze Unsqueeze Dropout'.split(' '),
);

/**
 * The vector v with vᵀx = 1 for every output x = γ∘n + β of a layer normalization, whose n sum to zero: v = γ⁻¹ / Σ β/γ.
 * Exact, but large where the sum is small. It follows from the graph's shape alone, so a scale and shift after something
 * else gives a v that does not fit: compare it on data.
 *
 * @param graph in the order of its nodes
 * @returns for a tensor of this width; undefined if no such node with constant γ and β is found above it
 */
export function layerNormDirections(
  graph: Graph,
): (tensor: string, width: number) => Float32Array | undefined {
  const producers = new Map<string, Node>();
  for (const node of graph.nodes) for (const output of node.outputs) producers.set(output, node);
  const constant = (name: string | undefined, width: number): Tensor | undefined => {
    const tensor = name === undefined ? undefined : graph.initializers.get(name);
    return tensor && elementCount(tensor.dims) === width ? tensor : undefined;
  };

  /** Scale and shift of the last step of a normalization: one operator, or a product and a sum. */
  function scaleAndShift(node: Node, width: number): [Tensor, Tensor] | undefined {
    if (node.opType === 'LayerNormalization') {
      const [scale, shift] = [constant(node.inputs[1], width), constant(node.inputs[2], width)];
      return scale && shift && [scale, shift];
    }
    if (node.opType !== 'Add') return undefined;
    for (const [a, b] of [node.inputs, node.inputs.toReversed()]) {
      const product = producers.get(a);
      const shift = constant(b, width);
      if (product?.opType !== 'Mul' || !shift) continue;
      const scale = product.inputs.map((x) => constant(x, width)).find((x) => x !== undefined);
      if (scale) return [scale, shift];
    }
    return undefined;
  }

  return (tensor, width) => {
    let node = producers.get(tensor);
    while (node && KEEP_FEATURES.has(node.opType)) node = producers.get(node.inputs[0]);
    const found = node && scaleAndShift(node, width);
    if (!found) return undefined;
    const [scale, shift] = found.map((t) => floatValues(t));
    const sum = scale.reduce((total, s, i) => total + shift[i] / s, 0);
    const v = scale.map((s) => 1 / (s * sum));
    return v.every(Number.isFinite) ? v : undefined;
  };
}
