import { attention, type AttentionOptions, type AttentionShape } from './attention';
import type { DecoderSize } from './decoder';
import { linear, type Norm } from './layers';
import type { Network } from './network';
import type { Rotate } from './rotary';

/** The normalization of queries and keys: each head separately, or all heads together before they are split. */
export interface QueryKeyNorm {
  norm: Norm;
  of: 'head' | 'all';
}

export interface SelfAttention {
  size: DecoderSize;
  shape: AttentionShape;
  /** True for linear layers that have a bias. */
  biases: { qkv: boolean; output: boolean };
  /** Undefined if positions do not count. */
  rotate?: Rotate;
  norms?: QueryKeyNorm;
  scale?: number;
  cap?: number;
}

/** Llama's attention: q_proj, k_proj, v_proj and o_proj on x (tokens, hidden), with the additions of its relatives. */
export function selfAttention(net: Network, module: string, x: string, layer: SelfAttention): string {
  const { size, shape, biases, rotate, norms, scale, cap } = layer;
  const { hidden, heads, keyValueHeads, width } = size;
  const project = (name: string, count: number, norm?: string) => {
    const to = count * width;
    const y = linear(net, `${module}.${name}`, x, { from: hidden, to, bias: biases.qkv });
    return norm !== undefined && norms?.of === 'all' ? norms.norm(net, `${module}.${norm}`, y, to) : y;
  };
  const ofHeads = (norm: string) => (y: string) => norms!.norm(net, `${module}.${norm}`, y, width);
  const projections = {
    query: project('q_proj', heads, 'q_norm'),
    key: project('k_proj', keyValueHeads, 'k_norm'),
    value: project('v_proj', keyValueHeads),
  };
  const options: AttentionOptions = {
    ...{ scale, cap, rotate },
    ...(norms?.of === 'head' && { norms: { query: ofHeads('q_norm'), key: ofHeads('k_norm') } }),
  };
  const mixed = attention(net, module, projections, shape, options);
  const back = { from: heads * width, to: hidden, bias: biases.output };
  return linear(net, `${module}.o_proj`, mixed, back);
}
