import { activationOf } from '../../blocks/activation';
import type { AttentionShape } from '../../blocks/attention';
import {
  type Distances,
  type DistanceProjections,
  disentangledAttention,
  tableRows,
} from '../../blocks/disentangled';
import { postNormLayer, project } from '../../blocks/encoder-layer';
import { layerNorm } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { flat, hiddenOutput, textInputs } from '../../blocks/text';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { encoderSize, type EncoderSize } from '../../settings';
import { bertModules } from './bert';
import { attentionKinds, debertaEmbeddings, distanceRange, pairsOf, realTokens } from './deberta';

const SIZE = { hidden: 1536, inner: 6144, layers: 24, heads: 24, epsilon: 1e-7 };

/** DebertaV2Model in transformers (modeling_deberta_v2.py): DeBERTa-v2 and DeBERTa-v3. */
export const debertaV2: Family = {
  prefixes: ['deberta.'],
  marker: 'embeddings.word_embeddings.weight',
  build(net, config) {
    const size = encoderSize(config, SIZE);
    const { hidden, inner, layers, heads, width, epsilon } = size;
    config.require('attention_head_size', width);
    const inputs = textInputs(net);
    const { mask, rows } = inputs;
    const real = realTokens(net, mask);
    const embedded = debertaEmbeddings(net, config, inputs, size, 128100, real);
    const shape = { heads, keyValueHeads: heads, width, rows, seen: pairsOf(net, mask) };
    const layer = {
      size: { hidden, inner, epsilon },
      shape,
      act: activationOf(config, 'hidden_act', 'gelu'),
    };
    const distances = distancesOf(net, config, rows, size);
    const kinds = attentionKinds(config).filter((kind) => kind === 'c2p' || kind === 'p2c');
    const scale = 1 / Math.sqrt(width * (1 + new Set(kinds).size));
    const convolved = config.index('conv_kernel_size', 0) > 0;
    let x = embedded;
    for (let i = 0; i < layers; i++) {
      const names = modulesOf(`encoder.layer.${i}`);
      const projections = project(net, x, names, layer);
      const projected = distances && { ...distances, ...distanceLayers(config, names.attention) };
      const mixed = disentangledAttention(net, names.attention, projections, shape, projected, scale);
      x = postNormLayer(net, x, names, layer, mixed);
      if (i === 0 && convolved) x = withConvolution(net, config, embedded, x, shape, size, real);
    }
    hiddenOutput(net, x, rows, hidden);
  },
};

/** Adds a convolution of the embeddings over the text to the first layer's states, (tokens, hidden). */
function withConvolution(
  net: Network,
  config: Config,
  embedded: string,
  x: string,
  { rows }: AttentionShape,
  { hidden, epsilon }: EncoderSize,
  real: string,
): string {
  const at = 'encoder.conv';
  const kernel = config.count('conv_kernel_size');
  // Any other makes texts shorter, and transformers cannot add those.
  if (kernel % 2 === 0) throw config.unsupported('conv_kernel_size', [3]);
  const group = config.count('conv_groups', 1);
  const pad = Math.floor((kernel - 1) / 2);
  const act = activationOf(config, 'conv_act', 'tanh');
  const sized = net.op(at, 'Concat', [rows, net.g.ints([hidden])], { axis: 0 });
  const turned = (y: string) => net.op(at, 'Transpose', [y], { perm: [0, 2, 1] });
  const weight = net.weight(`${at}.conv.weight`, [hidden, hidden / group, kernel]);
  const inputs = [turned(net.op(at, 'Reshape', [embedded, sized])), weight];
  const out = net.op(`${at}.conv`, 'Conv', [...inputs, net.weight(`${at}.conv.bias`, [hidden])], {
    kernel_shape: [kernel],
    pads: [pad, pad],
    group,
  });
  const kept = net.op(at, 'Mul', [flat(net, turned(out), hidden), real]);
  const sum = net.op(at, 'Add', [x, act(net, at, kept)]);
  return net.op(at, 'Mul', [layerNorm(net, `${at}.LayerNorm`, sum, hidden, epsilon), real]);
}

const modulesOf = (at: string) => ({
  ...bertModules(at),
  query: `${at}.attention.self.query_proj`,
  key: `${at}.attention.self.key_proj`,
  value: `${at}.attention.self.value_proj`,
});

/** The distances of a DeBERTa's tokens; undefined if it has none. */
function distancesOf(
  net: Network,
  config: Config,
  rows: string,
  { hidden, epsilon }: { hidden: number; epsilon: number },
): Distances | undefined {
  if (!config.flag('relative_attention', false)) return undefined;
  const range = distanceRange(config);
  const buckets = config.atLeastOne('position_buckets');
  const span = buckets ?? range;
  if (buckets && (buckets < 2 || range - 1 <= buckets / 2))
    throw config.unsupported('position_buckets', [-1]);
  const weight = net.weight('encoder.rel_embeddings.weight', [2 * span, hidden]);
  const norms = config.text('norm_rel_ebd', 'none').toLowerCase().split('|');
  const isNormed = norms.some((name) => name.trim() === 'layer_norm');
  return {
    table: isNormed ? layerNorm(net, 'encoder.LayerNorm', weight, hidden, epsilon) : weight,
    span,
    rows: tableRows(net, rows, span, (distance) => (buckets ? bucketOf(distance, buckets, range) : distance)),
    kinds: attentionKinds(config),
  };
}

/** The layers that project distances: with share_att_key, those that project tokens. */
function distanceLayers(config: Config, at: string): DistanceProjections {
  const [key, query] = config.flag('share_att_key', false)
    ? ['key_proj', 'query_proj']
    : ['pos_key_proj', 'pos_query_proj'];
  return { key: { module: `${at}.${key}`, bias: true }, query: { module: `${at}.${query}`, bias: true } };
}

/** Short distances have a bucket each, longer ones share (make_log_bucket_position, which computes in float32). */
function bucketOf(distance: number, buckets: number, range: number): number {
  const half = Math.floor(buckets / 2);
  if (distance <= half) return distance;
  const log = (of: number) => Math.fround(Math.log(Math.fround(of / half)));
  const share = Math.fround(log(distance) / log(range - 1));
  return Math.ceil(Math.fround(share * (half - 1))) + half;
}
