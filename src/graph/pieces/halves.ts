import { attrFloat, attrInt } from '../attributes';
import { GraphBuilder } from '../builder';
import { DType } from '../dtype';
import type { Graph, Node, Tensor } from '../model';
import { prune } from '../prune';
import { rowsOf } from '../quantized/nbits';
import { readersOf } from '../reads';
import { flattened, shapedLike, times, timesTransposed, type InRows } from './product';
import { partOf, PIECE_BYTES } from './rows';

/** Fewer pieces than these are not worth it. */
const LEAST_PIECES = 2;

/**
 * A graph in which a large frozen weight of 16 bits is widened to float32 in pieces, where a product needs them: whole, it
 * would be there twice over from the start of a run to its last reader. The graph itself if it has none.
 *
 * @param graph in which `widen` has put a Cast after each of these weights
 * @param pieceBytes of a piece in float32
 */
export function halvesInPieces(graph: Graph, pieceBytes = PIECE_BYTES): Graph {
  const found = largeHalves(graph, pieceBytes);
  if (found.size === 0) return graph;
  const nodes: Node[] = [];
  const result: Graph = { ...graph, nodes, initializers: new Map(graph.initializers) };
  const g = new GraphBuilder({ ...result, nodes: graph.nodes }, '/halves', nodes);
  for (const node of graph.nodes) {
    const weight = found.get(node.inputs[1]);
    if (weight && isProduct(node)) product(g, node, weight, pieceBytes);
    else nodes.push(node);
  }
  return prune(result);
}

/** Weights that are read in float32 by products alone, by the name of the tensor that widens them. */
export function largeHalves(graph: Graph, pieceBytes = PIECE_BYTES): Map<string, Tensor> {
  const readers = readersOf(graph);
  const outputs = new Set(graph.outputs.map((o) => o.name));
  const found = new Map<string, Tensor>();
  for (const {
    opType,
    domain,
    inputs,
    outputs: [y],
    attributes,
  } of graph.nodes) {
    if (opType !== 'Cast' || domain !== '' || Number(attributes.get('to')?.value) !== DType.float) continue;
    const t = graph.initializers.get(inputs[0]);
    if (!t || t.dims.length !== 2 || (t.dtype !== DType.float16 && t.dtype !== DType.bfloat16)) continue;
    if (4 * t.dims[0] * t.dims[1] < LEAST_PIECES * pieceBytes || outputs.has(y)) continue;
    if (readers.get(y)?.every((n) => isProduct(n) && n.inputs[0] !== y && n.inputs[2] !== y)) found.set(y, t);
  }
  return found;
}

/** A product whose second factor is a matrix that may be read in rows. */
const isProduct = (n: Node): boolean =>
  n.domain === '' &&
  (n.opType === 'MatMul' ||
    (n.opType === 'Gemm' &&
      attrInt(n, 'transA', 0) === 0 &&
      attrFloat(n, 'alpha', 1) === 1 &&
      attrFloat(n, 'beta', 1) === 1));

function product(g: GraphBuilder, node: Node, weight: Tensor, pieceBytes: number): void {
  const {
    inputs: [x, , bias],
    outputs: [y],
  } = node;
  const [rows, width] = weight.dims;
  const w: InRows = {
    rows,
    width,
    pieceBytes,
    piece({ from, to }, after) {
      const half = partOf(g, weight, [to - from, width], rowsOf(weight, rows, from, to), from);
      // On the CPU, ONNX Runtime has no Where for bfloat16: where a Slice begins waits in its place.
      const start = after.pass(g.ints([0]));
      return g.op('Cast', [g.op('Slice', [half, start, g.ints([to - from]), g.ints([0])])], {
        to: DType.float,
      });
    },
  };
  const transposed = attrInt(node, 'transB', 0) === 1;
  const of = (a: string) => (transposed ? timesTransposed(g, a, w) : times(g, a, w));
  if (node.opType === 'MatMul') return shapedLike(g, of(flattened(g, x, rows)), x, width, y);
  const made = of(x);
  if (bias) g.op('Add', [made, bias], {}, { outputs: [y] });
  else g.op('Identity', [made], {}, { outputs: [y] });
}
