import { attrFloat, attrInt } from '../attributes';
import type { Node } from '../model';
import type { Rewrite, RewriteContext } from '../rewrite';
import { dotProduct } from './parts/dot-product';
import { positionsOf, repeatHeads, splitHeads } from './parts/heads';
import { lastSize } from './parts/last-size';
import { causalBias } from './parts/masks';
import { refusal, requireKnown } from './parts/refuse';
import { rotate, rotatedSize } from './parts/rotate';

const ATTRIBUTES = [
  'do_rotary',
  'kv_num_heads',
  'local_window_size',
  'num_heads',
  'rotary_interleaved',
  'scale',
  'smooth_softmax',
  'softcap',
];
const INPUTS = [
  'query',
  'key',
  'value',
  '(past_key)',
  '(past_value)',
  'seqlens_k',
  'total_sequence_length',
  'cos_cache',
  'sin_cache',
  'position_ids',
  'attention_bias',
  'head_sink',
];

/**
 * Causal attention in which several heads share keys and values, of texts from their beginning. seqlens_k counts tokens
 * from the left, so texts must be padded on the right. What ONNX Runtime computes for padding has no meaning; here,
 * padding sees its text.
 */
export const groupQueryAttention: Rewrite = (node, c) => {
  requireKnown(node, ATTRIBUTES, INPUTS);
  const { g } = c;
  const heads = attrInt(node, 'num_heads', 1);
  const shared = attrInt(node, 'kv_num_heads', heads);
  const [query, , , , , last, length, , , , bias, headSink] = node.inputs;
  const [q, k, v] = projections(c, node, heads, shared);
  const turn = rotation(c, node, q, lastSize(c, query), heads);
  const key = turn(k);
  const [, presentKey, presentValue] = node.outputs;
  for (const [present, x] of [
    [presentKey, key],
    [presentValue, v],
  ] as const)
    if (present) c.produce(present, 'Transpose', [x], { perm: [0, 2, 1, 3] });
  const type = c.declared.floatType(query);
  const size = attrInt(node, 'local_window_size', -1);
  const window = size > 0 ? size : undefined;
  const sequence = { tokens: query, keys: query };
  const causal = causalBias(c, sequence, type, length, { window, last });
  const smooth = attrInt(node, 'smooth_softmax', 0) === 1;
  const sink = headSink || (smooth ? g.constant(type, [1], [0]) : undefined);
  dotProduct(c, node, {
    query: turn(q),
    key: repeatHeads(g, key, shared, heads / shared),
    value: repeatHeads(g, v, shared, heads / shared),
    scale: attrFloat(node, 'scale', 0),
    biases: [...(bias ? [bias] : []), causal],
    softcap: attrFloat(node, 'softcap', 0),
    ...(sink && { sink }),
  });
};

/** Query, key and value, (batch, tokens, heads, size): three inputs, or one with all heads. */
function projections(c: RewriteContext, node: Node, heads: number, shared: number): string[] {
  const { g } = c;
  const [query, key, value] = node.inputs;
  if (key && value)
    return [splitHeads(g, query, heads), splitHeads(g, key, shared), splitHeads(g, value, shared)];
  const all = splitHeads(g, query, heads + 2 * shared);
  return g.ops('Split', [all, g.ints([heads, shared, shared])], { axis: 2 }, { outputs: 3 });
}

/** What turns queries and keys, if the node does that. */
function rotation(
  c: RewriteContext,
  node: Node,
  query: string,
  width: number | undefined,
  heads: number,
): (x: string) => string {
  if (attrInt(node, 'do_rotary', 0) !== 1) return (x) => x;
  const { g } = c;
  const [, key, , , , , length, cos, sin, ids] = node.inputs;
  if (!cos || !sin) throw refusal(node, 'do_rotary but neither cos_cache nor sin_cache');
  const size = rotatedSize(c, node, cos);
  const all = key ? heads : heads + 2 * attrInt(node, 'kv_num_heads', heads);
  const rest = width === undefined || width / all !== size;
  const positions = c.once(`positions ${ids} ${length}`, () => {
    const places = positionsOf(g, query, 1);
    // For texts from their beginning, ONNX Runtime counts on from the first id, also where others say something else.
    const first = ids ? g.op('Slice', [g.op('Reshape', [ids, g.ints([-1])]), g.ints([0]), g.ints([1])]) : '';
    return g.op('Unsqueeze', [ids ? g.op('Add', [places, first]) : places, g.ints([0])]);
  });
  const interleaved = attrInt(node, 'rotary_interleaved', 0) === 1;
  return (x) => rotate(c, x, size, rest, { cos, sin, positions, interleaved });
}
