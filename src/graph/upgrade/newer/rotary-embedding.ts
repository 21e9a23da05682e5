import { attrInt } from '../../attributes';
import type { Rewrite, RewriteContext } from '../../rewrite';
import { knownRank } from '../../unfuse/parts/rank';

/**
 * RotaryEmbedding of ai.onnx 23: turns pairs of the first rotary_embedding_dim features of each head by the angles of
 * their token; the rest passes. X is (batch, sequence, heads · size) or (batch, heads, sequence, size). The tables are
 * (positions, pairs) with position_ids, else (batch, sequence, pairs).
 */
export const rotaryEmbedding: Rewrite = (node, c) => {
  const { g } = c;
  const [x, cosines, sines, positions] = node.inputs;
  const flat = knownRank(c, node, x) === 3;
  const rows = flat ? g.op('Reshape', [x, g.ints([0, 0, attrInt(node, 'num_heads', 0), -1])]) : x;
  const table = (t: string) =>
    g.op('Unsqueeze', [positions ? g.op('Gather', [t, positions]) : t, g.ints([flat ? 2 : 1])]);
  const turn = (part: string) =>
    turned(c, part, table(cosines), table(sines), attrInt(node, 'interleaved', 0) === 1);
  const width = attrInt(node, 'rotary_embedding_dim', 0);
  const cut = (from: number, to: number) => g.op('Slice', [rows, g.ints([from]), g.ints([to]), g.ints([-1])]);
  const size = flat ? undefined : c.declared.size(x, -1);
  const whole = width === 0 || width === size;
  const parts = whole ? [turn(rows)] : [turn(cut(0, width)), cut(width, Number.MAX_SAFE_INTEGER)];
  if (flat) {
    const joined = whole ? parts[0] : g.op('Concat', parts, { axis: -1 });
    c.replace(node, 'Reshape', [joined, g.op('Shape', [x])]);
  } else if (whole) c.replace(node, 'Identity', parts);
  else c.replace(node, 'Concat', parts, { axis: -1 });
};

/** Pairs are (i, i + half) or, interleaved, (2i, 2i + 1). */
function turned(c: RewriteContext, x: string, cos: string, sin: string, interleaved: boolean): string {
  const { g } = c;
  const last = g.ints([-1]);
  const pairs = interleaved ? g.op('Reshape', [x, g.ints([0, 0, 0, -1, 2])]) : x;
  const [a, b] = g.ops('Split', [pairs], { axis: -1, num_outputs: 2 }, { outputs: 2 });
  const [u, w] = interleaved ? [cos, sin].map((t) => g.op('Unsqueeze', [t, last])) : [cos, sin];
  const times = (v: string, by: string) => g.op('Mul', [v, by]);
  const first = g.op('Sub', [times(a, u), times(b, w)]);
  const second = g.op('Add', [times(b, u), times(a, w)]);
  const joined = g.op('Concat', [first, second], { axis: -1 });
  return interleaved ? g.op('Reshape', [joined, g.ints([0, 0, 0, -1])]) : joined;
}
