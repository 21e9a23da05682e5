import { attrInt } from '../../attributes';
import type { Node } from '../../model';
import type { RewriteContext } from '../../rewrite';
import { positionsOf } from './heads';
import { lastSize } from './last-size';
import { refusal } from './refuse';
import { rotate, rotatedSize } from './rotate';

/**
 * The rotation of the queries and keys of a GroupQueryAttention, if the node does that.
 *
 * @param tokens (batch, tokens, …)
 */
export function promptRotation(c: RewriteContext, node: Node, tokens: string): (x: string) => string {
  if (attrInt(node, 'do_rotary', 0) !== 1) return (x) => x;
  const { g } = c;
  const [query, key, , , , , length, cos, sin, ids] = node.inputs;
  if (!cos || !sin) throw refusal(node, 'do_rotary but neither cos_cache nor sin_cache');
  const size = rotatedSize(c, node, cos);
  const heads = attrInt(node, 'num_heads', 1);
  const all = key ? heads : heads + 2 * attrInt(node, 'kv_num_heads', heads);
  const width = lastSize(c, query);
  const rest = width === undefined || width / all !== size;
  const positions = c.once(`positions ${ids} ${length}`, () => {
    const places = positionsOf(g, tokens, 1);
    // For texts from their beginning, ONNX Runtime counts on from the first id, also if others differ.
    const first = ids ? g.op('Slice', [g.op('Reshape', [ids, g.ints([-1])]), g.ints([0]), g.ints([1])]) : '';
    return g.op('Unsqueeze', [ids ? g.op('Add', [places, first]) : places, g.ints([0])]);
  });
  const interleaved = attrInt(node, 'rotary_interleaved', 0) === 1;
  return (x) => rotate(c, x, size, rest, { cos, sin, positions, interleaved });
}
