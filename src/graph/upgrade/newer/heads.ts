import type { RewriteContext } from '../../rewrite';

/** (batch, sequence, heads · size) to (batch, heads, sequence, size). */
export function splitHeads(c: RewriteContext, x: string, heads: number): string {
  const rows = c.g.op('Reshape', [x, c.g.ints([0, 0, heads, -1])]);
  return c.g.op('Transpose', [rows], { perm: [0, 2, 1, 3] });
}

/**
 * Keys or values (batch, heads, sequence, size) with each head as often as queries read it, one after the other.
 *
 * @param queries (batch, query heads, sequence, size)
 * @param counts the numbers of query heads and of heads of x, where they are known
 */
export function repeatHeads(
  c: RewriteContext,
  x: string,
  queries: string,
  counts: { queries?: number; own?: number },
): string {
  if (counts.queries !== undefined && counts.queries === counts.own) return x;
  const { g } = c;
  const sizes = (of: string, start: number, end: number) => g.op('Shape', [of], { start, end });
  const heads = counts.queries === undefined ? sizes(queries, 1, 2) : g.ints([counts.queries]);
  const times =
    counts.queries === undefined || counts.own === undefined
      ? g.op('Div', [heads, sizes(x, 1, 2)])
      : g.ints([counts.queries / counts.own]);
  const one = g.ints([1, 1]);
  const expanded = g.op('Expand', [
    g.op('Unsqueeze', [x, g.ints([2])]),
    g.op('Concat', [one, times, one], { axis: 0 }),
  ]);
  return g.op('Reshape', [expanded, g.op('Concat', [sizes(x, 0, 1), heads, sizes(x, 2, 4)], { axis: 0 })]);
}
