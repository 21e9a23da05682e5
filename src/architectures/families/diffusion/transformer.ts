import { GELU } from '../../blocks/activation';
import { conv2d, groupNorm } from '../../blocks/images';
import { layerNorm, linear } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { attend, type Heads, type Tokens } from './attention';

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
