import { attrInt, attrInts, attrString } from '../attributes';
import type { GraphBuilder } from '../builder';
import { DType } from '../dtype';
import type { WeightOperand } from '../layers/weight-operands';
import type { Node } from '../model';
import type { RowQuantizer } from './row-quantizer';
import type { Int8Weight } from './weights-file';

/**
 * The weight (to, from, height, width) of a convolution over images that may be multiplied in int8: of stride 1. It is `transposed`
 * where ConvTranspose reads it, which is the gradient of such a convolution: one with the kernel turned by 180°.
 */
export function convolutionOperand(
  operands: ReadonlyMap<string, WeightOperand>,
  node: Node,
): WeightOperand | undefined {
  const transposed = node.opType === 'ConvTranspose';
  if (node.domain !== '' || !(transposed || node.opType === 'Conv')) return undefined;
  const found = operands.get(node.inputs[1]);
  if (found?.tensor.dims.length !== 4 || found.transposed) return undefined;
  const sides = found.dims.slice(2);
  const isPlain =
    ['strides', 'dilations'].every((name) => (attrInts(node, name) ?? []).every((n) => n === 1)) &&
    attrInt(node, 'group', 1) === 1 &&
    attrString(node, 'auto_pad', 'NOTSET') === 'NOTSET' &&
    !attrInts(node, 'output_shape') &&
    marginsOf(node).every((margin, i) => margin < sides[i % 2]!);
  return isPlain ? { ...found, transposed } : undefined;
}

/** The tensors that SiLU gives: x times its sigmoid. */
export function siluOutputs(nodes: readonly Node[]): ReadonlySet<string> {
  const sigmoids = new Map(
    nodes.filter((n) => n.opType === 'Sigmoid').map((n) => [n.outputs[0], n.inputs[0]] as const),
  );
  const isSilu = ({ opType, inputs: [a, b] }: Node) =>
    opType === 'Mul' && (sigmoids.get(b!) === a || sigmoids.get(a!) === b);
  return new Set(nodes.filter(isSilu).map((n) => n.outputs[0]!));
}

/** Top, left, bottom, right. */
const marginsOf = (node: Node): number[] => attrInts(node, 'pads') ?? [0, 0, 0, 0];

/**
 * Emits a convolution as a product: the positions that each window reads, side by side (im2col), times a weight in int8. The bytes are
 * copied, after rounding: a quarter of the floats.
 */
export function int8Convolution(
  g: GraphBuilder,
  rows: RowQuantizer,
  node: Node,
  { dims, transposed }: WeightOperand,
  { values, scales }: Int8Weight,
  { output, isPositive }: { output: string; isPositive: boolean },
): void {
  const [x, , bias] = node.inputs;
  const [high, wide] = dims.slice(2) as [number, number];
  const margins = marginsOf(node).map((margin, i) =>
    transposed ? [high, wide][i % 2]! - 1 - margin : margin,
  );
  const isPoint = high === 1 && wide === 1;
  const {
    values: first,
    scale,
    zero,
  } = isPoint
    ? {
        ...rows.of(g.op('Transpose', [x], { perm: [0, 2, 3, 1] }), dims[transposed ? 0 : 1]!),
        zero: rows.zeroPoint,
      }
    : imagesOf(g, rows, x, isPositive);
  const windows = isPoint ? first : windowsOf(g, first, { high, wide, margins, zero });
  const factors = [
    windows,
    g.addInitializer(values),
    g.scalar(1, DType.float),
    g.addInitializer(scales!),
    zero,
  ];
  const columns = g.op('MatMulIntegerToFloat', factors, {}, { domain: 'com.microsoft' });
  const scaled = g.op('Mul', [columns, scale]);
  const made = bias ? g.op('Add', [scaled, bias]) : scaled;
  g.op('Transpose', [made], { perm: [0, 3, 1, 2] }, { outputs: [output], name: g.fresh('int8') });
}

/** In place of the scale of zeros. */
const TINY = 1e-32;
/** SiLU's least value is −0.28, and its largest ones are a few units. */
const NEGATIVE_SHARE = 1 / 16;

/**
 * Each image by its own largest magnitude, since a convolution adds up products of many positions.
 *
 * @param x (batch, channels, height, width)
 * @param isPositive true if x has few and small negative values: then most integers are for the others
 * @returns values (batch, height, width, channels); their scale is (batch, 1, 1, 1)
 */
function imagesOf(g: GraphBuilder, { largest, zeroPoint }: RowQuantizer, x: string, isPositive: boolean) {
  const sides = g.ints([1, 2, 3]);
  const all = 2 * largest + 1;
  const below = isPositive ? Math.ceil(NEGATIVE_SHARE * all) : largest;
  const above = isPositive ? all - below : largest;
  const number = (value: number) => g.scalar(value, DType.float);
  const most = g.op('ReduceMax', [x, sides], { keepdims: 0 });
  const least = g.op('ReduceMin', [x, sides], { keepdims: 0 });
  const parts = [g.op('Mul', [most, number(1 / above)]), g.op('Mul', [least, number(-1 / below)])];
  const scale = g.op('Max', [...parts, number(TINY)]);
  const zero = isPositive ? g.scalar(below, DType.uint8) : zeroPoint;
  const zeros = g.op('Expand', [zero, g.op('Shape', [scale])]);
  const values = g.op('QuantizeLinear', [x, scale, zeros], { axis: 0 });
  // Bytes are turned in less time than floats.
  const turned = g.op('Transpose', [values], { perm: [0, 2, 3, 1] });
  return { values: turned, scale: g.op('Unsqueeze', [scale, sides]), zero };
}

interface Windows {
  high: number;
  wide: number;
  margins: readonly number[];
  zero: string;
}

/** (batch, height, width, channels) to (batch, height, width, positions of the kernel · channels) of the result. */
function windowsOf(
  g: GraphBuilder,
  image: string,
  { high, wide, margins: [top, left, bottom, right], zero }: Windows,
): string {
  const padded = g.op('Pad', [image, g.ints([0, top!, left!, 0, 0, bottom!, right!, 0]), zero]);
  const parts = Array.from({ length: high * wide }, (_, at) => {
    const [row, column] = [Math.floor(at / wide), at % wide];
    const end = (side: number, from: number) => (from === side - 1 ? END : from + 1 - side);
    const [starts, ends] = [
      [row, column],
      [end(high, row), end(wide, column)],
    ];
    return g.op('Slice', [padded, g.ints(starts), g.ints(ends), g.ints([1, 2])]);
  });
  return g.op('Concat', parts, { axis: -1 });
}

/** Larger than every axis: a Slice with this end reads the rest. */
const END = 2 ** 31 - 1;
