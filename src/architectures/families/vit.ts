import { AuroraError } from '../../base/errors';
import { DType } from '../../graph/dtype';
import { activationOf } from '../blocks/activation';
import { attention } from '../blocks/attention';
import { layerNorm, linear } from '../blocks/layers';
import type { Network } from '../blocks/network';
import { flat, hiddenOutput } from '../blocks/text';
import type { Family } from '../family';
import type { Config } from '../folder/config';
import { encoderSize } from './encoder-size';

/** ViTModel in transformers (modeling_vit.py), without its pooler. */
export const vit: Family = {
  prefixes: ['vit.'],
  marker: 'embeddings.cls_token',
  build(net, config) {
    const { hidden, inner, layers, heads, width, epsilon } = encoderSize(config);
    const act = activationOf(config, 'hidden_act', 'gelu');
    const bias = config.flag('qkv_bias', true);
    const { x: patches, rows } = embeddings(net, config, hidden);
    let x = patches;
    const shape = { heads, keyValueHeads: heads, width, rows };
    for (let i = 0; i < layers; i++) {
      const at = `encoder.layer.${i}`;
      const before = layerNorm(net, `${at}.layernorm_before`, x, hidden, epsilon);
      const project = (name: string) =>
        linear(net, `${at}.attention.attention.${name}`, before, { from: hidden, to: hidden, bias });
      const projections = { query: project('query'), key: project('key'), value: project('value') };
      const mixed = attention(net, `${at}.attention.attention`, projections, shape);
      const attended = linear(net, `${at}.attention.output.dense`, mixed, { from: hidden, to: hidden });
      const middle = net.op(at, 'Add', [attended, x]);
      const after = layerNorm(net, `${at}.layernorm_after`, middle, hidden, epsilon);
      const wide = linear(net, `${at}.intermediate.dense`, after, { from: hidden, to: inner });
      const active = act(net, `${at}.intermediate.intermediate_act_fn`, wide);
      const fed = linear(net, `${at}.output.dense`, active, { from: inner, to: hidden });
      x = net.op(`${at}.output`, 'Add', [fed, middle]);
    }
    hiddenOutput(net, layerNorm(net, 'layernorm', x, hidden, epsilon), rows, hidden);
  },
};

/** Patches after the class token, with their positions: (tokens, hidden). */
function embeddings(net: Network, config: Config, hidden: number): { x: string; rows: string } {
  const at = 'embeddings';
  const size = config.size('image_size', 224);
  const patch = config.size('patch_size', 16);
  const channels = config.count('num_channels', 3);
  if (size.some((side, i) => side < patch[i]))
    throw new AuroraError(
      'model',
      `${config.path}: patches of ${patch.join(' × ')} do not fit into images of ${size.join(' × ')}.`,
      'Download the config.json of this model again.',
    );
  const count = size.reduce((n, side, i) => n * Math.floor(side / patch[i]), 1);
  const pixels = net.g.addInput('pixel_values', DType.float, ['batch', channels, ...size]);
  const projection = `${at}.patch_embeddings.projection`;
  const weight = net.weight(`${projection}.weight`, [hidden, channels, ...patch]);
  const maps = net.op(projection, 'Conv', [pixels, weight, net.weight(`${projection}.bias`, [hidden])], {
    kernel_shape: patch,
    strides: patch,
  });
  const batch = net.op(at, 'Slice', [net.op(at, 'Shape', [pixels]), net.g.ints([0]), net.g.ints([1])]);
  const sized = (...rest: number[]) => net.op(at, 'Concat', [batch, net.g.ints(rest)], { axis: 0 });
  const patches = net.op(at, 'Transpose', [net.op(at, 'Reshape', [maps, sized(hidden, count)])], {
    perm: [0, 2, 1],
  });
  const first = net.op(at, 'Expand', [net.weight(`${at}.cls_token`, [1, 1, hidden]), sized(1, hidden)]);
  const tokens = net.op(at, 'Concat', [first, patches], { axis: 1 });
  const positions = net.weight(`${at}.position_embeddings`, [1, count + 1, hidden]);
  const x = flat(net, net.op(at, 'Add', [tokens, positions]), hidden);
  return { x, rows: sized(count + 1) };
}
