import type { GraphBuilder } from '../../builder';
import type { Node } from '../../model';
import type { RewriteContext } from '../../rewrite';
import { lastSize } from './last-size';
import { refusal } from './refuse';

export interface Rotary {
  /** (positions, rotated / 2), constants of the file. */
  cos: string;
  sin: string;
  /** int64 (batch or 1, tokens). */
  positions: string;
  /** True if neighbors are a pair, rather than features i and i + rotated / 2. */
  interleaved: boolean;
}

/** The features that a table of cosines rotates, from its constant or from the node's own attribute. */
export function rotatedSize(c: RewriteContext, node: Node, cos: string, given = 0): number {
  const half = lastSize(c, cos);
  const size = given || (half === undefined ? undefined : 2 * half);
  if (size === undefined)
    throw refusal(
      node,
      `a table of cosines (${cos}) of unknown width`,
      'Export the model with constant tables.',
    );
  return size;
}

/**
 * Turns the first `size` features of each head by the angles of its token; the others stay.
 *
 * @param x (batch, tokens, heads, features)
 * @param rest true if it has other features
 */
export function rotate(c: RewriteContext, x: string, size: number, rest: boolean, at: Rotary): string {
  const { g } = c;
  const table = (values: string) =>
    c.once(`rotary ${values} ${at.positions} ${at.interleaved}`, () =>
      g.op('Unsqueeze', [
        g.op('Gather', [values, at.positions], { axis: 0 }),
        g.ints(at.interleaved ? [2, 4] : [2]),
      ]),
    );
  const [cos, sin] = [table(at.cos), table(at.sin)];
  const part = (from: number, to: number) => g.op('Slice', [x, g.ints([from]), g.ints([to]), g.ints([3])]);
  const result = turnPairs(g, rest ? part(0, size) : x, cos, sin, at.interleaved);
  return rest ? g.op('Concat', [result, part(size, Number.MAX_SAFE_INTEGER)], { axis: 3 }) : result;
}

/**
 * Turns the pairs (i, i + half) of the last of four axes or, interleaved, (2i, 2i + 1).
 *
 * @param cos of each pair, broadcastable to one half; interleaved with another axis of 1
 * @param sin likewise
 */
export function turnPairs(
  g: GraphBuilder,
  x: string,
  cos: string,
  sin: string,
  interleaved: boolean,
): string {
  const pairs = interleaved ? g.op('Reshape', [x, g.ints([0, 0, 0, -1, 2])]) : x;
  const [a, b] = g.ops('Split', [pairs], { axis: -1, num_outputs: 2 }, { outputs: 2 });
  const times = (v: string, by: string) => g.op('Mul', [v, by]);
  const first = g.op('Sub', [times(a, cos), times(b, sin)]);
  const second = g.op('Add', [times(b, cos), times(a, sin)]);
  const joined = g.op('Concat', [first, second], { axis: -1 });
  return interleaved ? g.op('Reshape', [joined, g.ints([0, 0, 0, -1])]) : joined;
}
