import { attrInt } from '../attributes';
import { DType } from '../dtype';
import type { Node } from '../model';
import type { Rewrite, RewriteContext } from '../rewrite';
import { positionsOf, splitHeads, turnHeads } from './parts/heads';
import { lastSize } from './parts/last-size';
import { knownRank } from './parts/rank';
import { refusal, requireKnown } from './parts/refuse';
import { rotate, rotatedSize } from './parts/rotate';

const ATTRIBUTES = ['interleaved', 'is_packed_batching=0', 'num_heads', 'rotary_embedding_dim', 'scale'];
const INPUTS = ['input', 'position_ids', 'cos_cache', 'sin_cache'];

/**
 * Rotary embedding of (batch, tokens, heads · size) or (batch, heads, tokens, size). ONNX Runtime's kernels read the
 * attribute `scale` and do not use it.
 */
export const rotaryEmbedding: Rewrite = (node, c) => {
  requireKnown(node, { attributes: ATTRIBUTES, inputs: INPUTS });
  const { g } = c;
  const [x, ids, cos, sin] = node.inputs as [string, string, string, string];
  const rank = knownRank(c, node, x);
  const given = attrInt(node, 'rotary_embedding_dim', 0);
  const size = rotatedSize(c, node, cos, given);
  const heads = attrInt(node, 'num_heads', 0);
  if (given > 0 && heads === 0 && rank === 3) throw refusal(node, 'rotary_embedding_dim but not num_heads');
  const apart = rank === 4 ? turnHeads(g, x) : heads ? splitHeads(g, x, heads) : headsOf(c, x, size);
  const positions = positionsFor(c, node, ids, apart);
  const width = lastSize(c, x);
  const rest = given > 0 && !(rank === 3 && width !== undefined && width / heads === given);
  const interleaved = attrInt(node, 'interleaved', 0) === 1;
  const turned = rotate(c, apart, size, rest, { cos, sin, positions, interleaved });
  if (rank === 4) c.replace(node, 'Transpose', [turned], { perm: [0, 2, 1, 3] });
  else c.replace(node, 'Reshape', [turned, g.ints([0, 0, -1])]);
};

/** Splits features into as many heads as there are features for. */
const headsOf = ({ g }: RewriteContext, x: string, size: number): string =>
  g.op('Reshape', [x, g.ints([0, 0, -1, size])]);

/** (batch, tokens), or one offset that all tokens count from. */
function positionsFor(c: RewriteContext, node: Node, ids: string, x: string): string {
  const rank = knownRank(c, node, ids);
  const { g } = c;
  if (rank === 2) return ids;
  return c.once(`positions from ${ids} ${node.inputs[0]}`, () =>
    g.op('Unsqueeze', [
      g.op('Add', [positionsOf(g, x, 1), g.op('Cast', [ids], { to: DType.int64 })]),
      g.ints([0]),
    ]),
  );
}
