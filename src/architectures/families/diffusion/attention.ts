import { GELU } from '../../blocks/activation';
import { conv2d, groupNorm, type Groups } from '../../blocks/images';
import { layerNorm, linear } from '../../blocks/layers';
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
interface AttentionModules {
  query: string;
  key: string;
  value: string;
  output: string;
  /** True if query, key and value have biases. */
  bias: boolean;
}

const MODULES: AttentionModules = {
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
function attend(
  net: Network,
  module: string,
  x: Tokens,
  context: Tokens,
  { heads, width, split }: Heads,
  names = MODULES,
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

const CURRENT: AttentionModules = {
  query: 'to_q',
  key: 'to_k',
  value: 'to_v',
  output: 'to_out.0',
  bias: true,
};

/** The modules before diffusers 0.18, as in the files of Stable Diffusion 1. */
const FORMER: AttentionModules = {
  query: 'query',
  key: 'key',
  value: 'value',
  output: 'proj_attn',
  bias: true,
};

/** The attention of an autoencoder, with a single head: x (batch, channels, height, width) to the same. */
export function imageAttention(
  net: Network,
  module: string,
  x: string,
  channels: number,
  norm: Groups,
): string {
  const normal = groupNorm(net, `${module}.group_norm`, x, channels, norm);
  const last = net.op(module, 'Transpose', [normal], { perm: [0, 2, 3, 1] });
  const batch = net.op(module, 'Shape', [x], { start: 0, end: 1 });
  const tokens = { x: net.op(module, 'Reshape', [last, net.g.ints([-1, channels])]), size: channels };
  const names = net.weights.has(`${module}.${FORMER.query}.weight`) ? FORMER : CURRENT;
  const made = attend(net, module, tokens, tokens, headsOf(net, batch, 1, channels), names);
  const places = net.op(module, 'Reshape', [made, net.op(module, 'Shape', [last])]);
  return net.op(module, 'Add', [net.op(module, 'Transpose', [places], { perm: [0, 3, 1, 2] }), x]);
}

/** Transformer2DModel's own, whatever the model's norms have. */
const NORM_EPSILON = 1e-6;
const BLOCK_EPSILON = 1e-5;
/** Width of the feed-forward part by that of the stream. */
const WIDER = 4;

export interface Transformer {
  channels: number;
  heads: Heads;
  /** Transformer blocks. */
  blocks: number;
  groups: number;
  /** True if proj_in and proj_out are linear layers rather than convolutions. */
  isLinear: boolean;
  /** True if the first attention of each block reads the context, too. */
  crossOnly: boolean;
  context: Tokens;
}

/** Transformer2DModel in diffusers on an image (batch, channels, height, width): the same. */
export function transformer(net: Network, module: string, image: string, shape: Transformer): string {
  const { channels, isLinear } = shape;
  const normal = groupNorm(net, `${module}.norm`, image, channels, {
    groups: shape.groups,
    epsilon: NORM_EPSILON,
  });
  const [into, out] = ['proj_in', 'proj_out'].map((name) => `${module}.${name}`);
  const size = { from: channels, to: channels };
  const projected = isLinear ? normal : conv2d(net, into, normal, { ...size, kernel: 1 });
  const last = net.op(module, 'Transpose', [projected], { perm: [0, 2, 3, 1] });
  const places = net.op(module, 'Shape', [last]);
  let x = net.op(module, 'Reshape', [last, net.g.ints([-1, channels])]);
  if (isLinear) x = linear(net, into, x, size);
  for (let i = 0; i < shape.blocks; i++) x = block(net, `${module}.transformer_blocks.${i}`, x, shape);
  if (isLinear) x = linear(net, out, x, size);
  const turned = net.op(module, 'Transpose', [net.op(module, 'Reshape', [x, places])], {
    perm: [0, 3, 1, 2],
  });
  const made = isLinear ? turned : conv2d(net, out, turned, { ...size, kernel: 1 });
  return net.op(module, 'Add', [made, image]);
}

/** BasicTransformerBlock: two attentions and a feed-forward part, each after its norm. */
function block(net: Network, module: string, before: string, shape: Transformer): string {
  const { channels, heads, context, crossOnly } = shape;
  const normal = (name: string, x: string) => layerNorm(net, `${module}.${name}`, x, channels, BLOCK_EPSILON);
  const add = (part: string, to: string) => net.op(module, 'Add', [part, to]);
  const read = (norm: string, x: string): Tokens => ({ x: normal(norm, x), size: channels });
  const first = read('norm1', before);
  let x = add(attend(net, `${module}.attn1`, first, crossOnly ? context : first, heads), before);
  x = add(attend(net, `${module}.attn2`, read('norm2', x), context, heads), x);
  return add(feedForward(net, `${module}.ff.net`, normal('norm3', x), channels), x);
}

/** GEGLU and a linear layer: the second half of the first one's output is the gate. */
function feedForward(net: Network, module: string, x: string, channels: number): string {
  const inner = WIDER * channels;
  const both = linear(net, `${module}.0.proj`, x, { from: channels, to: 2 * inner });
  const [value, gate] = net.ops(`${module}.0`, 'Split', [both, net.g.ints([inner, inner])], { axis: -1 }, 2);
  const gated = net.op(`${module}.0`, 'Mul', [value, GELU(net, `${module}.0`, gate)]);
  return linear(net, `${module}.2`, gated, { from: inner, to: channels });
}
