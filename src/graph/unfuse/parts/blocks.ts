import { PACKED } from '../../layers/packed';
import type { RewriteContext } from '../../rewrite';

/**
 * The three parts of a constant for query, key and value. Their readers are one linear layer each, whose weight or bias
 * is that part of the constant.
 *
 * @param sizes thirds by default; the name of a tensor if the file does not state them
 */
export function blocks(
  c: RewriteContext,
  name: string,
  axis: number,
  sizes?: readonly number[] | string,
): string[] {
  const { g } = c;
  if (typeof sizes === 'string') return g.ops('Split', [name, sizes], { axis }, { outputs: 3 });
  const all = c.constant(name)?.dims[axis];
  const known = sizes ?? (all === undefined ? undefined : [all / 3, all / 3, all / 3]);
  if (!known) return g.ops('Split', [name], { axis, num_outputs: 3 }, { outputs: 3 });
  const parts = g.ops('Split', [name, g.ints([...known])], { axis }, { outputs: 3 });
  g.sink.at(-1)!.metadata.set(PACKED, '');
  return parts;
}
