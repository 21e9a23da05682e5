import type { GraphBuilder } from '../builder';
import type { Tensor } from '../model';

/** The size of a piece of a weight in float32: the only part of it that is in memory at a time. */
export const PIECE_BYTES = 2 ** 26;

/** Some rows of a weight: the first of them, and the one after the last. */
export interface Rows {
  from: number;
  to: number;
}

/** @param width of a row, in numbers. Pieces begin at even rows: two numbers of four bits share a byte. */
export function piecesOf(rows: number, width: number, bytes = PIECE_BYTES): Rows[] {
  const each = Math.max(2, 2 * Math.floor(bytes / (8 * width)));
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
