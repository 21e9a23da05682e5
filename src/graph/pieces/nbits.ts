import { isFloat } from '../dtype';
import { GraphBuilder } from '../builder';
import type { Graph, Node } from '../model';
import { prune } from '../prune';
import { isNBits, nbitsOf, type NBits } from '../quantized/nbits';
import { dequantizedRows, isReadInRows, rowWidth } from './nbits-rows';
import { flattened, shapedLike, timesTransposed, type InRows } from './product';

/**
 * The graph of a step in which a layer that the backward pass dequantizes in pieces is computed from the same pieces going
 * forward: ONNX Runtime maps each constant separately, so a MatMulNBits beside them would have the memory of its weight
 * twice. On the CPU, this takes no longer than the operator does without prepacking. Layers without a gradient keep
 * their operator. The graph itself if it has none.
 *
 * @param graph forward and backward
 */
export function nbitsInPieces(graph: Graph): Graph {
  const found = new Map<Node, NBits>();
  for (const node of graph.nodes) {
    const w = isNBits(node) ? nbitsOf(node, (name) => graph.initializers.get(name)) : undefined;
    if (w && isReadInRows(graph, w) && isWhole(w)) found.set(node, w);
  }
  if (found.size === 0) return graph;
  const nodes: Node[] = [];
  const result: Graph = { ...graph, nodes, initializers: new Map(graph.initializers) };
  const g = new GraphBuilder({ ...result, nodes: graph.nodes }, '/pieces', nodes);
  for (const node of graph.nodes) {
    const w = found.get(node);
    if (w) product(g, node, w);
    else nodes.push(node);
  }
  return prune(result);
}

/** True if the pieces are the weight: two bits take a step more than it is worth, and float zero points come on top. */
const isWhole = ({ bits, zeroPoints }: NBits): boolean =>
  bits !== 2 && !(zeroPoints && isFloat(zeroPoints.dtype));

function product(g: GraphBuilder, { inputs: [x], outputs: [y] }: Node, w: NBits): void {
  const { inFeatures, outFeatures, bias } = w;
  const width = rowWidth(w);
  let a = flattened(g, x, inFeatures);
  // The filling of the last block is not part of the weight.
  if (width > inFeatures) a = g.op('Pad', [a, g.ints([0, 0, 0, width - inFeatures])]);
  const piece: InRows['piece'] = (rows, after) => dequantizedRows(g, w, rows, after);
  const product = timesTransposed(g, a, { rows: outFeatures, width, piece });
  shapedLike(g, bias ? g.op('Add', [product, bias]) : product, x, outFeatures, y);
}
