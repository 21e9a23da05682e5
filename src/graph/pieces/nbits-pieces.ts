import { GraphBuilder } from '../builder';
import { DType, isFloat } from '../dtype';
import type { Graph, Node, Tensor } from '../model';
import { packFourBit } from '../number-formats';
import { type Bnb4, bnb4Of, isBnb4 } from '../quantized/bnb4';
import { blockBytes, defaultZero, isNBits, type NBits, nbitsOf, rowsOf, zerosOf } from '../quantized/nbits';
import { prune } from '../reads';
import { isRouted } from '../routed';
import { tensorNumbers, tensorOf } from '../values';
import type { Barrier } from './barrier';
import { bnb4Product, isReadWidened } from './bnb4-pieces';
import {
  flattened,
  type InRows,
  partName,
  partOf,
  type Rows,
  shapedLike,
  timesTransposed,
} from './row-pieces';

/**
 * The graph of a step in which a layer that the backward pass dequantizes in pieces is computed from the same pieces going
 * forward: ONNX Runtime maps each constant separately, so a MatMulNBits or MatMulBnb4 beside them would have the memory of its weight
 * twice. On the CPU, this takes no longer than the operator does without prepacking. Layers without a gradient keep
 * their operator. The graph itself if it has none.
 *
 * @param graph forward and backward
 */
export function nbitsInPieces(graph: Graph): Graph {
  const found = new Map<Node, NBits>();
  const tables = new Map<Node, Bnb4>();
  const constant = (name: string) => graph.initializers.get(name);
  for (const node of graph.nodes) {
    const w = isNBits(node) ? nbitsOf(node, constant) : undefined;
    if (w && isReadInRows(graph, w) && isWhole(w)) found.set(node, w);
    const b = isBnb4(node) ? bnb4Of(node, constant) : undefined;
    if (b && isReadWidened({ graph }, b)) tables.set(node, b);
  }
  if (found.size + tables.size === 0) return graph;
  const nodes: Node[] = [];
  const result: Graph = { ...graph, nodes, initializers: new Map(graph.initializers) };
  const g = new GraphBuilder({ ...result, nodes: graph.nodes }, '/pieces', nodes);
  for (const node of graph.nodes) {
    const [w, b] = [found.get(node), tables.get(node)];
    const [x] = node.inputs;
    if (w) product(g, node, w);
    else if (b)
      shapedLike(
        g,
        bnb4Product(g, flattened(g, x, b.inFeatures), b, isRouted(node)),
        x,
        b.outFeatures,
        node.outputs[0],
      );
    else nodes.push(node);
  }
  return prune(result);
}

/** True if the pieces are the weight: two bits take a step more than it is worth, and float zero points come on top. */
const isWhole = ({ bits, zeroPoints }: NBits): boolean =>
  bits !== 2 && !(zeroPoints && isFloat(zeroPoints.dtype));

function product(g: GraphBuilder, node: Node, w: NBits): void {
  const [[x], [y]] = [node.inputs, node.outputs];
  const { inFeatures, outFeatures, bias } = w;
  const width = rowWidth(w);
  let a = flattened(g, x, inFeatures);
  // The filling of the last block is not part of the weight.
  if (width > inFeatures) a = g.op('Pad', [a, g.ints([0, 0, 0, width - inFeatures])]);
  const piece: InRows['piece'] = (rows, after) => dequantizedRows(g, w, rows, after);
  const product = timesTransposed(g, a, { rows: outFeatures, width, mayBeEmpty: isRouted(node), piece });
  shapedLike(g, bias ? g.op('Add', [product, bias]) : product, x, outFeatures, y);
}

/** The width of a row of a MatMulNBits' weight with all of its blocks. */
export const rowWidth = ({ blocks, blockSize }: NBits): number => blocks * blockSize;

/**
 * Rows of the weight of a MatMulNBits in float32, as wide as its blocks; without the zero point if that is a float.
 * DequantizeLinear reads the bytes that the operator itself reads.
 *
 * @param after the tensor that comes first: runtimes run nodes early that need no activation, which would be all pieces
 *   at once
 */
export function dequantizedRows(g: GraphBuilder, w: NBits, { from, to }: Rows, after: Barrier): string {
  const { outFeatures, blocks, blockSize, bits } = w;
  const n = to - from;
  const data = rowsOf(w.weight, outFeatures, from, to);
  const scales = partOf(g, w.scales, [n, blocks], rowsOf(w.scales, outFeatures, from, to), from);
  const attributes = { axis: 1, block_size: blockSize };
  const dims = [n, rowWidth(w)];
  // Before opset 25, no type has two bits.
  const dtype = bits === 4 ? DType.uint4 : DType.uint8;
  const values =
    bits === 2
      ? quarters(g, partOf(g, w.weight, [n, blocks * blockBytes(w), 1], data, from), dims)
      : partOf(g, { ...w.weight, dtype }, dims, data, from);
  const zeros = zeroPoints(g, w, { from, to });
  return g.op('DequantizeLinear', [values, after.pass(scales), zeros], attributes);
}

/** Four numbers from each byte (…, 1). */
function quarters(g: GraphBuilder, bytes: string, dims: number[]): string {
  const shifts = g.constant(DType.uint8, [4], [0, 2, 4, 6]);
  const shifted = g.op('BitShift', [bytes, shifts], { direction: 'RIGHT' });
  const low = g.op('BitwiseAnd', [shifted, g.constant(DType.uint8, [], [3])]);
  return g.op('Reshape', [low, g.ints(dims)]);
}

/** In the form of DequantizeLinear (n, blocks): without space between rows, and always given, since its default is 0. */
function zeroPoints(g: GraphBuilder, w: NBits, { from, to }: Rows): string {
  const { outFeatures, blocks, bits, zeroPoints: own } = w;
  const dims = [to - from, blocks];
  const dtype = bits === 4 ? DType.uint4 : DType.uint8;
  if (own && !isFloat(own.dtype)) {
    const rows = { ...own, data: rowsOf(own, outFeatures, from, to) };
    const asStored = bits === 8 || (bits === 4 && blocks % 2 === 0);
    return partOf(g, { ...own, dtype }, dims, asStored ? rows.data : packed(zerosOf(w, rows), bits), from);
  }
  const value = own ? 0 : defaultZero(w);
  const name = `/grad/zero.${value}.${bits}.${dims.join('x')}`;
  if (!g.graph.initializers.has(name))
    g.addInitializer({
      name,
      dtype,
      dims,
      data: packed(new Array<number>(dims[0] * blocks).fill(value), bits),
    });
  return name;
}

const packed = (values: readonly number[], bits: number): Uint8Array =>
  bits === 4 ? packFourBit(values) : Uint8Array.from(values);

/** dY · (zero point · scale), once for each column of a block, where zero points are floats. */
export function floatZeros(g: GraphBuilder, w: NBits, dy: string, { from, to }: Rows): string {
  const { outFeatures, blocks, blockSize, scales } = w;
  const dims = [to - from, blocks];
  const numbers = (t: Tensor) => tensorNumbers({ ...t, data: rowsOf(t, outFeatures, from, to) });
  const zeros = numbers(w.zeroPoints!);
  const products = numbers(scales).map((s, i) => s * zeros[i]);
  const name = g.addInitializer(tensorOf(g.fresh('zeros'), scales.dtype, dims, products));
  const perBlock = g.op('Unsqueeze', [g.op('MatMul', [dy, name]), g.ints([2])]);
  const spread = g.op('Expand', [perBlock, g.ints([1, 1, blockSize])]);
  return g.op('Reshape', [spread, g.ints([-1, blocks * blockSize])]);
}

/** True if a graph reads a weight as `dequantizedRows` does. */
const isReadInRows = ({ initializers }: Graph, { weight }: NBits): boolean =>
  initializers.has(partName(weight, 0));
