import { attrInt } from '../../attributes';
import type { Rewrite } from '../../rewrite';
import { knownRank } from '../../unfuse/parts/rank';
import { turnPairs } from '../../unfuse/parts/rotate';

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
  const interleaved = attrInt(node, 'interleaved', 0) === 1;
  const axes = [flat ? 2 : 1, ...(interleaved ? [4] : [])];
  const table = (t: string) =>
    g.op('Unsqueeze', [positions ? g.op('Gather', [t, positions]) : t, g.ints(axes)]);
  const turn = (part: string) => turnPairs(g, part, table(cosines), table(sines), interleaved);
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
