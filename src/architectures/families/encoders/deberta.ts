import { DType } from '../../../graph/dtype';
import { activationOf } from '../../blocks/activation';
import { attention, type AttentionShape } from '../../blocks/attention';
import { postNormLayer, project } from '../../blocks/encoder-layer';
import { layerNorm, linear } from '../../blocks/layers';
import { POSITIONS, type Network } from '../../blocks/network';
import {
  counted,
  embedding,
  flat,
  hiddenOutput,
  integers,
  textInputs,
  type TextInputs,
} from '../../blocks/text';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { bertModules } from './bert';
import { attentionKinds, distanceScores, distancesOf } from './deberta-positions';
import { encoderSize, type EncoderSize } from '../../settings/encoder-size';

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
    const real = net.op('', 'Cast', [flat(net, mask, 1)], { to: DType.float });
    const embedded = embeddings(net, config, inputs, size, real);
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
      const added = distances
        ? distanceScores(net, names.attention, projections, shape, distances, scale)
        : [];
      const bias = added.reduce<string | undefined>(
        (sum, one) => (sum === undefined ? one : net.op(names.attention, 'Add', [one, sum])),
        undefined,
      );
      const mixed = attention(
        net,
        names.attention,
        projections,
        { ...shape, ...(bias && { bias }) },
        { scale },
      );
      x = postNormLayer(net, x, names, layer, mixed);
      if (i === 0 && convolved) x = withConvolution(net, config, embedded, x, shape, size, real);
    }
    hiddenOutput(net, x, rows, hidden);
  },
};

/** (tokens, hidden), where padding is 0. */
function embeddings(
  net: Network,
  config: Config,
  { ids, rows }: TextInputs,
  { hidden, epsilon }: EncoderSize,
  real: string,
): string {
  const at = 'embeddings';
  const size = config.count('embedding_size', hidden);
  const table = (name: string, of: string, count: number) => embedding(net, `${at}.${name}`, of, count, size);
  let sum = table('word_embeddings', ids, config.count('vocab_size', 128100));
  if (config.flag('position_biased_input', true)) {
    const most = config.count('max_position_embeddings', 512);
    net.metadata.set(POSITIONS, String(most));
    sum = net.op(at, 'Add', [sum, table('position_embeddings', counted(net, rows), most)]);
  }
  const types = config.index('type_vocab_size', 0);
  if (types > 0) {
    // With one type, tokens do not differ, and tokenizers do not state it.
    const of = types > 1 ? integers(net, 'token_type_ids') : net.g.constant(DType.int64, [1, 1], [0]);
    sum = net.op(at, 'Add', [sum, table('token_type_embeddings', of, types)]);
  }
  const tokens = flat(net, sum, size);
  const wide =
    size === hidden
      ? tokens
      : linear(net, `${at}.embed_proj`, tokens, { from: size, to: hidden, bias: false });
  return net.op(at, 'Mul', [layerNorm(net, `${at}.LayerNorm`, wide, hidden, epsilon), real]);
}

/** The mask of pairs of tokens that are both not padding: (batch, 1, sequence, sequence). */
function pairsOf(net: Network, mask: string): string {
  const along = (axis: number) => net.op('', 'Unsqueeze', [mask, net.g.ints([1, axis])]);
  return net.op('', 'Cast', [net.op('', 'Mul', [along(2), along(3)])], { to: DType.bool });
}

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
