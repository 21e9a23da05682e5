import { attrFloat, attrInt } from '../attributes';
import type { Node } from '../model';
import type { Rewrite, RewriteContext } from '../rewrite';
import { dotProduct, repeatHeads, splitHeads } from './parts/attention';
import { causalBias, endBias } from './parts/masks';
import { promptRotation } from './rotary-embedding';
import { refusal, requireKnown } from './parts/refuse';
import { rootMeanSquare } from './normalization';

const ATTRIBUTES = [
  'causal',
  'do_rotary',
  'k_quant_type=NONE',
  'kv_cache_bit_width=0',
  'kv_num_heads',
  'local_window_size',
  'num_heads',
  'qk_norm_epsilon',
  'qk_output=0',
  'rotary_interleaved',
  'scale',
  'sliding_window_cache=0',
  'smooth_softmax',
  'softcap',
  'v_quant_type=NONE',
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
  '(k_scale)',
  '(v_scale)',
  'q_norm_weight',
  'k_norm_weight',
];
const OUTPUTS = ['output', 'present_key', 'present_value', '(output_qk)'];

/**
 * Attention, usually causal, in which several heads share keys and values, of texts from their beginning. seqlens_k
 * counts tokens from the left, so texts must be padded on the right. ONNX Runtime's results for padding have no
 * meaning; here, padding sees its text.
 */
export const groupQueryAttention: Rewrite = (node, c) => {
  requireKnown(node, { attributes: ATTRIBUTES, inputs: INPUTS, outputs: OUTPUTS });
  const { g } = c;
  const heads = attrInt(node, 'num_heads', 1);
  const shared = attrInt(node, 'kv_num_heads', heads);
  const [query, , , , , last, length, , , , bias, headSink, , , queryNorm, keyNorm] = node.inputs;
  const type = c.declared.floatType(query);
  const [q, k, v] = projections(c, node, heads, shared);
  const turn = promptRotation(c, node, q);
  const key = turn(normal(c, node, k, keyNorm));
  const [, presentKey, presentValue] = node.outputs;
  for (const [present, x] of [
    [presentKey, key],
    [presentValue, v],
  ] as const)
    if (present) c.produce(present, 'Transpose', [x], { perm: [0, 2, 1, 3] });
  const size = attrInt(node, 'local_window_size', -1);
  if (size === 0) throw refusal(node, 'a local_window_size of 0');
  const window = size > 0 ? size : undefined;
  const sequence = { tokens: query, keys: query };
  const causal =
    attrInt(node, 'causal', 1) === 0
      ? endBias(c, query, type, last)
      : causalBias(c, sequence, type, length, { window, last });
  const smooth = attrInt(node, 'smooth_softmax', 0) === 1;
  const sink = headSink || (smooth ? g.constant(type, [1], [0]) : undefined);
  dotProduct(c, node, {
    query: turn(normal(c, node, q, queryNorm)),
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

/** Root-mean-square normalization of each head, as in Qwen3, if the node has a weight (size) for it. */
function normal(c: RewriteContext, node: Node, x: string, weight: string | undefined): string {
  if (!weight) return x;
  const type = c.declared.floatType(node.inputs[0]);
  const epsilon = attrFloat(node, 'qk_norm_epsilon', 1e-6);
  return c.g.op('Mul', [rootMeanSquare(c, type, x, [-1], epsilon), weight]);
}
