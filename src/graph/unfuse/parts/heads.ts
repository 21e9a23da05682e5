import type { GraphBuilder } from '../../builder';
import { DType } from '../../dtype';

/** (batch, tokens, heads · size) as (batch, tokens, heads, size). */
export const splitHeads = (g: GraphBuilder, x: string, heads: number): string =>
  g.op('Reshape', [x, g.ints([0, 0, heads, -1])]);

/** (batch, tokens, heads, size) and (batch, heads, tokens, size), either way. */
export const turnHeads = (g: GraphBuilder, x: string): string =>
  g.op('Transpose', [x], { perm: [0, 2, 1, 3] });

/** Each head `times` times, one after the other: (batch, tokens, heads, size) to (batch, tokens, heads · times, size). */
export function repeatHeads(g: GraphBuilder, x: string, heads: number, times: number): string {
  if (times === 1) return x;
  const one = g.op('Unsqueeze', [x, g.ints([3])]);
  const many = g.op('Expand', [one, g.ints([1, 1, 1, times, 1])]);
  return g.op('Reshape', [many, g.ints([0, 0, heads * times, -1])]);
}

/** Picks one index of an axis, which is taken away. */
export const pick = (g: GraphBuilder, x: string, axis: number, index: number): string =>
  g.op('Squeeze', [g.op('Slice', [x, g.ints([index]), g.ints([index + 1]), g.ints([axis])]), g.ints([axis])]);

/** The size of one axis, int64 [1]. */
export const sizeOf = (g: GraphBuilder, x: string, axis: number): string =>
  g.op('Shape', [x], { start: axis, end: axis + 1 });

/** The positions 0 … size − 1 of an axis, int64. */
export function positionsOf(g: GraphBuilder, x: string, axis: number): string {
  const size = g.op('Squeeze', [sizeOf(g, x, axis), g.ints([0])]);
  return g.op('Range', [g.scalar(0, DType.int64), size, g.scalar(1, DType.int64)]);
}
