import { attention, type AttentionOptions, type AttentionShape, type Projections } from './attention';
import { linear } from './layers';
import type { Network } from './network';

export interface FusedAttention extends AttentionOptions {
  hidden: number;
  /** True if both linear layers have a bias. */
  bias: boolean;
}

/**
 * An attention as Megatron-LM writes it, on x (tokens, hidden): one linear layer query_key_value gives query, key and
 * value of all heads; the last one is dense.
 */
export function fusedAttention(
  net: Network,
  module: string,
  x: string,
  shape: AttentionShape,
  { hidden, bias, ...options }: FusedAttention,
): string {
  const { heads, keyValueHeads, width } = shape;
  const to = (heads + 2 * keyValueHeads) * width;
  const fused = linear(net, `${module}.query_key_value`, x, { from: hidden, to, bias });
  const mixed = attention(net, module, splitByHead(net, module, fused, shape), shape, options);
  return linear(net, `${module}.dense`, mixed, { from: heads * width, to: hidden, bias });
}

/**
 * Query, key and value of one linear layer, which has the queries of each key/value head in front of its key and value.
 * With as many of these as heads, each head has its three side by side, as in GPT-NeoX and BLOOM; with a single one, key
 * and value are behind all queries, as in Falcon-7B.
 *
 * @param fused (tokens, (heads + 2 · keyValueHeads) · width)
 * @returns (tokens, keyValueHeads, heads / keyValueHeads, width) for queries, (tokens, keyValueHeads, 1, width) for others
 */
function splitByHead(
  net: Network,
  module: string,
  fused: string,
  { heads, keyValueHeads, width }: AttentionShape,
): Projections {
  const each = heads / keyValueHeads;
  const groups = net.op(module, 'Reshape', [fused, net.g.ints([-1, keyValueHeads, each + 2, width])]);
  const [query, key, value] = net.ops(module, 'Split', [groups, net.g.ints([each, 1, 1])], { axis: 2 }, 3);
  return { query, key, value };
}
