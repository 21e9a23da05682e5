import { groupNorm, type Groups } from '../../blocks/images';
import type { Network } from '../../blocks/network';
import { attend, headsOf, type AttentionModules } from './attention';

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
