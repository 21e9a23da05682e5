import { DType } from '../../graph/dtype';
import type { Network } from './network';

/** A square table of positions, one for each patch of a picture of `side` · `side` patches. */
export interface PositionTable {
  /** (side · side, hidden) */
  table: string;
  side: number;
}

const AT = 'embeddings';

/**
 * Positions of patches whose pictures have different shapes: the table resized to the rows and columns of each, as
 * PyTorch's bilinear interpolation with antialias makes it. Padding after a picture's patches has the position of its
 * first one (resize_positional_embeddings in modeling_siglip2.py).
 *
 * @param shapes int64 (batch, 2): rows and columns of each picture
 * @param rows a vector tensor: (batch, sequence)
 * @returns (batch, sequence, hidden)
 */
export function positionsByShape(
  net: Network,
  { table, side }: PositionTable,
  shapes: string,
  rows: string,
): string {
  const op = (type: string, ...inputs: string[]) => net.op(AT, type, inputs);
  const ints = (values: number[]) => net.g.ints(values);
  const real = net.op(AT, 'Cast', [shapes], { to: DType.float });
  // (batch, 1)
  const [height, width] = net.ops(AT, 'Split', [real, ints([1, 1])], { axis: 1 }, 2);
  const length = op('Gather', rows, net.g.scalar(1, DType.int64));
  const counted = op('Range', net.g.scalar(0, DType.int64), length, net.g.scalar(1, DType.int64));
  const all = op('Unsqueeze', net.op(AT, 'Cast', [counted], { to: DType.float }), ints([0]));
  const isPatch = op('Less', all, op('Mul', height, width));
  const places = op('Where', isPatch, all, net.float(0));
  // A half keeps quotients away from whole numbers, where division could round to either side.
  const row = op('Floor', op('Div', op('Add', places, net.float(0.5)), width));
  const column = op('Sub', places, op('Mul', row, width));
  const taps = net.g.constant(
    DType.float,
    [1, 1, side],
    Array.from({ length: side }, (_, i) => i + 0.5),
  );
  const last = (x: string) => op('Unsqueeze', x, ints([2]));
  /** The share of each of the table's rows, or columns, in a place's: (batch, sequence, side). */
  const shares = (place: string, count: string) => {
    const scale = op('Div', net.float(side), count);
    const center = op('Mul', op('Add', place, net.float(0.5)), scale);
    const reach = op('Max', scale, net.float(1));
    const away = op('Div', op('Abs', op('Sub', taps, last(center))), last(reach));
    const weights = op('Relu', op('Sub', net.float(1), away));
    return op('Div', weights, net.op(AT, 'ReduceSum', [weights, ints([2])], { keepdims: 1 }));
  };
  const both = op(
    'Mul',
    op('Unsqueeze', shares(row, height), ints([3])),
    op('Unsqueeze', shares(column, width), ints([2])),
  );
  const flat = op('Reshape', both, ints([0, 0, side * side]));
  return op('MatMul', flat, table);
}
