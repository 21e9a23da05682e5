import { attrInt } from '../attributes';
import { GraphBuilder } from '../builder';
import { DType } from '../dtype';
import { elementCount, type Graph, type Node, type Tensor } from '../model';
import { isNBits } from '../quantized/nbits';
import { largeHalves } from './halves';

/** Numbers of a weight of few bits: fewer take no time worth saving. */
const LARGE = 2 ** 22;
/** Numbers of a weight in float32, 512 × 512: fewer take no time worth saving. */
const LARGE_FLOAT = 2 ** 18;

/**
 * A graph for finding out shapes alone: products with large frozen weights are zeros of the same shape, and the weights are
 * not read.
 *
 * @returns it, and the shapes of the widened weights, which it computes no longer
 */
export function withoutLargeProducts(graph: Graph): { graph: Graph; known: Map<string, number[]> } {
  const halves = largeHalves(graph);
  const floats = new Map([...graph.initializers].filter(([, tensor]) => isLargeFloat(tensor)));
  const nodes: Node[] = [];
  const result: Graph = { ...graph, nodes, initializers: new Map(graph.initializers) };
  const g = new GraphBuilder({ ...result, nodes: graph.nodes }, '/zeros', nodes);
  for (const node of graph.nodes) {
    const columns = columnsOf(node, (name) => halves.get(name)?.dims ?? floats.get(name)?.dims);
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

const isLargeFloat = ({ dtype, dims }: Tensor): boolean =>
  dtype === DType.float && dims.length === 2 && elementCount(dims) >= LARGE_FLOAT;

/** The columns of a product with a large weight. */
function columnsOf(node: Node, large: (name: string) => number[] | undefined): number | undefined {
  if (isNBits(node)) {
    const [k, n] = [attrInt(node, 'K', 0), attrInt(node, 'N', 0)];
    return k * n >= LARGE ? n : undefined;
  }
  const isProduct = node.domain === '' && (node.opType === 'MatMul' || node.opType === 'Gemm');
  if (!isProduct || attrInt(node, 'transA', 0) === 1) return undefined;
  const dims = large(node.inputs[1]);
  return dims?.[attrInt(node, 'transB', 0) === 1 ? 0 : 1];
}
