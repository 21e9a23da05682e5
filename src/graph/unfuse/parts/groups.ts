import type { RewriteContext } from '../../rewrite';

export interface Groups {
  groups: number;
  epsilon: number;
  /** The type of x. */
  type: number;
  /** The type in which the statistics are computed; that of x by default. */
  stash?: number;
  /** True if scale and bias are those of groups, not of channels. */
  perGroup?: boolean;
}

/**
 * (x − mean) / sqrt(variance + epsilon) · scale + bias, over groups of channels.
 *
 * @param x (batch, channels, …)
 * @returns the same elements as (batch, groups or channels, the rest)
 */
export function normalGroups(
  c: RewriteContext,
  x: string,
  scale: string,
  bias: string,
  { groups, epsilon, type, stash = type, perGroup = false }: Groups,
): string {
  const { g } = c;
  const cast = (name: string, to: number) => (stash === type ? name : g.op('Cast', [name], { to }));
  const rows = g.op('Reshape', [cast(x, stash), g.ints([0, groups, -1])]);
  const last = g.ints([2]);
  const centered = g.op('Sub', [rows, g.op('ReduceMean', [rows, last])]);
  const variance = g.op('ReduceMean', [g.op('Mul', [centered, centered]), last]);
  const deviation = g.op('Sqrt', [g.op('Add', [variance, g.scalar(epsilon, stash)])]);
  let y = cast(g.op('Div', [centered, deviation]), type);
  if (!perGroup)
    y = g.op('Reshape', [
      y,
      g.op('Concat', [g.ints([0]), g.op('Shape', [scale]), g.ints([-1])], { axis: 0 }),
    ]);
  const column = g.ints([1]);
  y = g.op('Mul', [y, g.op('Unsqueeze', [scale, column])]);
  return g.op('Add', [y, g.op('Unsqueeze', [bias, column])]);
}
