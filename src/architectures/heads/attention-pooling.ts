import { activationOf } from '../blocks/activation';
import { paddingBias, splitHeads } from '../blocks/attention';
import { layerNorm, linear } from '../blocks/layers';
import { headWidth } from '../settings';
import type { Hidden, Pooler } from './hidden';

const HEAD = 'head';

/**
 * SigLIP's pooler (SiglipMultiheadAttentionPoolingHead): one learned query attends to all patches, followed by a
 * feed-forward part with its norm.
 *
 * @param mask the input that counts patches; all of them if there is none
 */
export const attentionPooling =
  (mask?: string): Pooler =>
  (hidden) => {
    const { net, config, size: to } = hidden;
    const dims = net.weights.dims(`${HEAD}.mlp.fc1.weight`);
    if (!config.flag('vision_use_head', true) || dims === undefined) return undefined;
    const attended = linear(net, `${HEAD}.attention.out_proj`, mixed(hidden, mask), { from: to, to });
    const normed = layerNorm(net, `${HEAD}.layernorm`, attended, to, config.number('layer_norm_eps', 1e-6));
    const act = activationOf(config, 'hidden_act', 'gelu_pytorch_tanh');
    const [inner] = dims;
    const wide = act(net, `${HEAD}.mlp`, linear(net, `${HEAD}.mlp.fc1`, normed, { from: to, to: inner }));
    const fed = linear(net, `${HEAD}.mlp.fc2`, wide, { from: inner, to });
    return { x: net.op(HEAD, 'Add', [attended, fed]), size: to };
  };

/** The attention of the query, before its last layer: (batch, size). */
function mixed({ net, config, states, size }: Hidden, mask?: string): string {
  const at = `${HEAD}.attention`;
  const heads = config.count('num_attention_heads', 12);
  const width = headWidth(config, size, heads);
  const shaped = (x: string, ...dims: number[]) => net.op(at, 'Reshape', [x, net.g.ints(dims)]);
  // Query, key and value in one: the query reads another input than the other two.
  const parts = (name: string, dims: number[]) =>
    net.ops(at, 'Split', [net.weight(name, dims), net.g.ints([size, 2 * size])], { axis: 0 }, 2);
  const [queryWeight, weight] = parts(`${at}.in_proj_weight`, [3 * size, size]);
  const [queryBias, bias] = parts(`${at}.in_proj_bias`, [3 * size]);
  const product = (x: string, w: string, b: string) => net.op(at, 'Gemm', [x, w, b], { transB: 1 });
  const probe = shaped(net.weight(`${HEAD}.probe`, [1, 1, size]), 1, size);
  const query = shaped(product(probe, queryWeight, queryBias), 1, heads, 1, width);
  const both = product(shaped(states, -1, size), weight, bias);
  const rows = net.op(at, 'Slice', [net.op(at, 'Shape', [states]), net.g.ints([0]), net.g.ints([2])]);
  const shape = { heads, keyValueHeads: heads, width, rows };
  const [keys, values] = net
    .ops(at, 'Split', [both, net.g.ints([size, size])], { axis: 1 }, 2)
    .map((x) => splitHeads(net, at, x, heads, shape));
  const turned = net.op(at, 'Transpose', [keys], { perm: [0, 1, 3, 2] });
  const scores = net.op(at, 'Mul', [net.op(at, 'MatMul', [query, turned]), net.float(1 / Math.sqrt(width))]);
  const masked = mask === undefined ? scores : net.op(at, 'Add', [scores, paddingBias(net, mask)]);
  const shares = net.op(at, 'Softmax', [masked], { axis: -1 });
  return shaped(net.op(at, 'MatMul', [shares, values]), -1, size);
}
