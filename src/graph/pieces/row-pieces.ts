import type { GraphBuilder } from '../builder';
import type { Tensor } from '../model';
import { Barrier } from './barrier';

/** The size of a piece of a weight in float32: the only part of it that is in memory at a time. */
export const PIECE_BYTES = 2 ** 26;

/** Some rows of a weight: the first of them, and the one after the last. */
export interface Rows {
  from: number;
  to: number;
}

/**
 * @param width of a row, in numbers
 * @param step the multiple of rows at which a piece may begin, a power of 2. It is even: two numbers of four bits share a byte.
 */
export function piecesOf(rows: number, width: number, bytes = PIECE_BYTES, step = 1): Rows[] {
  const least = Math.max(2, step);
  const each = Math.max(least, least * Math.floor(bytes / (4 * least * width)));
  return Array.from({ length: Math.ceil(rows / each) }, (_, i) => ({
    from: i * each,
    to: Math.min(rows, (i + 1) * each),
  }));
}

export const partName = ({ name }: Tensor, from: number): string => `/rows/${name}.${from}`;

/**
 * A part of a constant as another: the same bytes, which are not copied. Once for each graph, whatever its readers: a
 * runtime maps each constant separately.
 *
 * @param from the row that the part begins with
 */
export function partOf(
  g: GraphBuilder,
  of: Tensor,
  dims: number[],
  data: Tensor['data'],
  from: number,
): string {
  const name = partName(of, from);
  return g.graph.initializers.has(name) ? name : g.addInitializer({ name, dtype: of.dtype, dims, data });
}

/** A frozen weight (rows, width) of which some rows at a time are in float32. */
export interface InRows {
  rows: number;
  width: number;
  /** The size of a piece in float32; PIECE_BYTES by default. */
  pieceBytes?: number;
  /** The multiple of rows at which a piece may begin; any by default. */
  step?: number;
  /** True if what they are multiplied by may have no rows: those of an expert. */
  mayBeEmpty?: boolean;
  /** Emits these rows in float32, available only once `after` lets them pass. */
  piece: (rows: Rows, after: Barrier) => string;
}

/** a · Wᵀ for a (m, width): (m, rows). One piece after the other. */
export function timesTransposed(
  g: GraphBuilder,
  a: string,
  { rows, width, pieceBytes, step, mayBeEmpty, piece }: InRows,
): string {
  const parts: string[] = [];
  for (const some of piecesOf(rows, width, pieceBytes, step)) {
    const after = new Barrier(g, [parts.at(-1) ?? a], mayBeEmpty);
    parts.push(g.op('Gemm', [a, piece(some, after)], { transB: 1 }));
  }
  return parts.length === 1 ? parts[0] : g.op('Concat', parts, { axis: 1 });
}

/** a · W for a (m, rows): (m, width). */
export function times(
  g: GraphBuilder,
  a: string,
  { rows, width, pieceBytes, step, mayBeEmpty, piece }: InRows,
): string {
  let sum: string | undefined;
  for (const some of piecesOf(rows, width, pieceBytes, step)) {
    const { from, to } = some;
    const whole = from === 0 && to === rows;
    const part = whole ? a : g.op('Slice', [a, g.ints([from]), g.ints([to]), g.ints([1])]);
    const weight = piece(some, new Barrier(g, [sum ?? a], mayBeEmpty));
    sum = g.op('Gemm', sum === undefined ? [part, weight] : [part, weight, sum]);
  }
  return sum!;
}

/** x (…, width) as (m, width). */
export const flattened = (g: GraphBuilder, x: string, width: number): string =>
  g.op('Reshape', [x, g.ints([-1, width])]);

/** y (m, width) under a name, with the leading axes of x (…, any). */
export function shapedLike(g: GraphBuilder, y: string, x: string, width: number, name: string): void {
  const shape = g.op('Concat', [g.op('Shape', [x], { end: -1 }), g.ints([width])], { axis: 0 });
  g.op('Reshape', [y, shape], {}, { outputs: [name] });
}
