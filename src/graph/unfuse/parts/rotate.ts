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
  /** Whether neighbors are a pair, rather than features i and i + rotated / 2. */
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
 * @param rest whether there are other features
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
  const turned = rest ? part(0, size) : x;
  const axis = at.interleaved ? 4 : 3;
  const pairs = at.interleaved ? g.op('Reshape', [turned, g.ints([0, 0, 0, -1, 2])]) : turned;
  const [a, b] = g.ops('Split', [pairs], { axis, num_outputs: 2 }, { outputs: 2 });
  const times = (v: string, by: string) => g.op('Mul', [v, by]);
  const first = g.op('Sub', [times(a, cos), times(b, sin)]);
  const second = g.op('Add', [times(b, cos), times(a, sin)]);
  const joined = g.op('Concat', [first, second], { axis });
  const result = at.interleaved ? g.op('Reshape', [joined, g.ints([0, 0, 0, -1])]) : joined;
  return rest ? g.op('Concat', [result, part(size, Number.MAX_SAFE_INTEGER)], { axis: 3 }) : result;
}
