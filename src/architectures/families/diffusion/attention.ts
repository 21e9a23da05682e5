import { linear } from '../../blocks/layers';
import type { Network } from '../../blocks/network';

/** Vectors that an attention reads. */
export interface Tokens {
  /** (batch · count, size) */
  x: string;
  size: number;
}

export interface Heads {
  heads: number;
  /** Size of a head. */
  width: number;
  /** A vector tensor: (batch, −1, heads, width). */
  split: string;
}

/** @param batch a vector tensor: (batch) */
export const headsOf = (net: Network, batch: string, heads: number, width: number): Heads => ({
  heads,
  width,
  split: net.op('', 'Concat', [batch, net.g.ints([-1, heads, width])], { axis: 0 }),
});

/** The modules of an attention below its own; those of diffusers since 0.13 by default. */
export interface AttentionModules {
  query: string;
  key: string;
  value: string;
  output: string;
  /** True if query, key and value have biases. */
  bias: boolean;
}

const CURRENT: AttentionModules = {
  query: 'to_q',
  key: 'to_k',
  value: 'to_v',
  output: 'to_out.0',
  bias: false,
};

/**
 * Attention in diffusers: of x on the context, (batch · count, size of x). Queries are scaled rather than the scores,
 * which are many more numbers.
 *
 * @param context x itself in a self-attention
 */
export function attend(
  net: Network,
  module: string,
  x: Tokens,
  context: Tokens,
  { heads, width, split }: Heads,
  names = CURRENT,
): string {
  const inner = heads * width;
  const project = (name: string, from: Tokens, perm: number[]) => {
    const at = `${module}.${name}`;
    const y = linear(net, at, from.x, { from: from.size, to: inner, bias: names.bias });
    return net.op(module, 'Transpose', [net.op(module, 'Reshape', [y, split])], { perm });
  };
  const query = project(names.query, x, [0, 2, 1, 3]);
  const turned = project(names.key, context, [0, 2, 3, 1]);
  const value = project(names.value, context, [0, 2, 1, 3]);
  const scaled = net.op(module, 'Mul', [query, net.float(1 / Math.sqrt(width))]);
  const shares = net.op(module, 'Softmax', [net.op(module, 'MatMul', [scaled, turned])], { axis: -1 });
  const mixed = net.op(module, 'Transpose', [net.op(module, 'MatMul', [shares, value])], {
    perm: [0, 2, 1, 3],
  });
  const flat = net.op(module, 'Reshape', [mixed, net.g.ints([-1, inner])]);
  return linear(net, `${module}.${names.output}`, flat, { from: inner, to: x.size });
}
