import { attrInt } from '../attributes';
import { GraphBuilder } from '../builder';
import { DType } from '../dtype';
import type { Graph, Node } from '../model';
import { isNBits } from '../quantized/nbits';
import { largeHalves } from './halves';

/** Numbers of a weight: fewer take no time worth saving. */
const LARGE = 2 ** 22;

/**
 * A graph for finding out shapes alone: products with large frozen weights of few bits are zeros of the same shape, and the
 * weights are not read.
 *
 * @returns it, and the shapes of what widens such weights, which it computes no longer
 */
export function withoutLargeProducts(graph: Graph): { graph: Graph; known: Map<string, number[]> } {
  const halves = largeHalves(graph);
  const nodes: Node[] = [];
  const result: Graph = { ...graph, nodes, initializers: new Map(graph.initializers) };
  const g = new GraphBuilder({ ...result, nodes: graph.nodes }, '/zeros', nodes);
  for (const node of graph.nodes) {
    const columns = columnsOf(node, (name) => halves.get(name)?.dims);
    if (columns === undefined) {
      if (!halves.has(node.outputs[0])) nodes.push(node);
      continue;
    }
    const lead = g.op('Shape', [node.inputs[0]], { end: -1 });
    const shape = g.op('Concat', [lead, g.ints([columns])], { axis: 0 });
    g.op('Expand', [g.scalar(0, DType.float), shape], {}, { outputs: node.outputs });
  }
  const known = new Map([...halves].map(([name, { dims }]) => [name, dims]));
  return { graph: result, known };
}

/** Of a product with a large weight of few bits. */
function columnsOf(node: Node, half: (name: string) => number[] | undefined): number | undefined {
  if (isNBits(node)) {
    const [k, n] = [attrInt(node, 'K', 0), attrInt(node, 'N', 0)];
    return k * n >= LARGE ? n : undefined;
  }
  const dims = half(node.inputs[1]);
  return dims?.[attrInt(node, 'transB', 0) === 1 ? 0 : 1];
}
