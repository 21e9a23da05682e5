import { attrFloat, attrInt } from '../attributes';
import { GraphBuilder } from '../builder';
import { DType } from '../dtype';
import { elementCount, type Graph, type Node, type Tensor } from '../model';
import { isBnb4 } from '../quantized/bnb4';
import { columnWeight, rowWeight } from '../quantized/columns';
import { isNBits, rowsOf } from '../quantized/nbits';
import { prune, readersOf } from '../reads';
import { isRouted } from '../routed';
import {
  flattened,
  type InRows,
  partOf,
  PIECE_BYTES,
  shapedLike,
  times,
  timesTransposed,
} from './row-pieces';

/** Fewer pieces than these are not worth it, unless there are many weights: a runtime folds what widens them into copies in float32. */
const LEAST_PIECES = 2;
/** The size in float32 from which on the weights of a model are many, and that of the smallest that is then widened when needed. */
const MANY_BYTES = 2 ** 30;
const LEAST_BYTES = 2 ** 22;

/**
 * A graph in which a large frozen weight of 16 bits, or of 8 bits in columns or rows, is widened to float32 in pieces, where a product needs
 * them: whole, it would be there twice over from the start of a run to its last reader. The graph itself if it has none.
 *
 * @param graph in which `widen` has put a Cast after each weight of 16 bits
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
function largeHalves(graph: Graph, pieceBytes = PIECE_BYTES): Map<string, Narrow> {
  const readers = readersOf(graph);
  const outputs = new Set(graph.outputs.map((o) => o.name));
  const found = new Map<string, Narrow>();
  for (const node of graph.nodes) {
    const [y] = node.outputs;
    const narrow = narrowWeight(graph, node);
    if (!narrow || outputs.has(y)) continue;
    if (readers.get(y)?.every((n) => isProduct(n) && n.inputs[0] !== y && n.inputs[2] !== y))
      found.set(y, narrow);
  }
  const sizes = new Map([...found].map(([y, { tensor }]) => [y, 4 * elementCount(tensor.dims)]));
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const least = Math.min(LEAST_PIECES * pieceBytes, total < MANY_BYTES ? Infinity : LEAST_BYTES);
  for (const [y, size] of sizes) if (size < least) found.delete(y);
  return found;
}

/** A matrix that a node widens to float32. */
interface Narrow {
  tensor: Tensor;
  /** The scales of its columns, if it is in int8. */
  scales?: Tensor;
  /** True if these are of its rows. */
  ofRows?: boolean;
}

function narrowWeight({ initializers }: Graph, node: Node): Narrow | undefined {
  const { opType, domain, inputs, attributes } = node;
  if (domain !== '') return undefined;
  const columns = columnWeight(node, (name) => initializers.get(name));
  if (columns) return { tensor: columns.values, scales: columns.scales };
  const rows = rowWeight(node, (name) => initializers.get(name));
  if (rows) return { tensor: rows.values, scales: rows.scales, ofRows: true };
  if (opType !== 'Cast' || Number(attributes.get('to')?.value) !== DType.float) return undefined;
  const tensor = initializers.get(inputs[0]);
  const isHalf = tensor?.dtype === DType.float16 || tensor?.dtype === DType.bfloat16;
  return tensor && isHalf && tensor.dims.length === 2 ? { tensor } : undefined;
}

/** A product whose second factor is a matrix that may be read in rows. */
const isProduct = (n: Node): boolean =>
  n.domain === '' &&
  (n.opType === 'MatMul' ||
    (n.opType === 'Gemm' &&
      attrInt(n, 'transA', 0) === 0 &&
      attrFloat(n, 'alpha', 1) === 1 &&
      attrFloat(n, 'beta', 1) === 1));

function product(
  g: GraphBuilder,
  node: Node,
  { tensor: weight, scales, ofRows }: Narrow,
  pieceBytes: number,
): void {
  const {
    inputs: [x, , bias],
    outputs: [y],
  } = node;
  const [rows, width] = weight.dims;
  const w: InRows = {
    rows,
    width,
    pieceBytes,
    mayBeEmpty: isRouted(node),
    piece({ from, to }, after) {
      const half = partOf(g, weight, [to - from, width], rowsOf(weight, rows, from, to), from);
      if (scales && ofRows) {
        const own = partOf(g, scales, [to - from], rowsOf(scales, rows, from, to), from);
        return g.op('DequantizeLinear', [half, after.pass(own)], { axis: 0 });
      }
      if (scales) return g.op('DequantizeLinear', [half, after.pass(scales.name)], { axis: 1 });
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
    const columns = columnsOf(node, (name) => halves.get(name)?.tensor.dims ?? floats.get(name)?.dims);
    if (columns === undefined) {
      if (!halves.has(node.outputs[0])) nodes.push(node);
      continue;
    }
    const lead = g.op('Shape', [node.inputs[0]], { end: -1 });
    const shape = g.op('Concat', [lead, g.ints([columns])], { axis: 0 });
    g.op('Expand', [g.scalar(0, DType.float), shape], {}, { outputs: node.outputs });
  }
  const known = new Map([...halves].map(([name, { tensor }]) => [name, tensor.dims]));
  return { graph: result, known };
}

const isLargeFloat = ({ dtype, dims }: Tensor): boolean =>
  dtype === DType.float && dims.length === 2 && elementCount(dims) >= LARGE_FLOAT;

/** The columns of a product with a large weight. */
function columnsOf(node: Node, large: (name: string) => number[] | undefined): number | undefined {
  if (isNBits(node) || isBnb4(node)) {
    const [k, n] = [attrInt(node, 'K', 0), attrInt(node, 'N', 0)];
    return k * n >= LARGE ? n : undefined;
  }
  const isProduct = node.domain === '' && (node.opType === 'MatMul' || node.opType === 'Gemm');
  if (!isProduct || attrInt(node, 'transA', 0) === 1) return undefined;
  const dims = large(node.inputs[1]);
  return dims?.[attrInt(node, 'transB', 0) === 1 ? 0 : 1];
}
