import { DType } from '../../../graph/dtype';
import { activationOf } from '../../blocks/activation';
import type { Projections } from '../../blocks/attention';
import { type Distances, disentangledAttention, tableRows } from '../../blocks/disentangled';
import { postNormLayer } from '../../blocks/encoder-layer';
import { layerNorm, linear } from '../../blocks/layers';
import { type Network, POSITIONS } from '../../blocks/network';
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
import { encoderSize, type EncoderSize } from '../../settings';
import { bertModules } from './bert';

const SIZE = { hidden: 768, inner: 3072, layers: 12, heads: 12, epsilon: 1e-7 };

/** transformers' DebertaConfig and modeling_deberta.py: DeBERTa of 2020. */
export const deberta: Family = {
  prefixes: ['deberta.'],
  marker: 'embeddings.word_embeddings.weight',
  build(net, config) {
    const size = encoderSize(config, SIZE);
    const { hidden, inner, layers, heads, width, epsilon } = size;
    config.require('talking_head', false);
    const inputs = textInputs(net);
    const { mask, rows } = inputs;
    const real = realTokens(net, mask);
    let x = debertaEmbeddings(net, config, inputs, size, 50265, real);
    const shape = { heads, keyValueHeads: heads, width, rows, seen: pairsOf(net, mask) };
    const layer = {
      size: { hidden, inner, epsilon },
      shape,
      act: activationOf(config, 'hidden_act', 'gelu'),
    };
    const distances = distancesOf(net, config, rows, hidden);
    // Kinds that change nothing count here as well.
    const scale = 1 / Math.sqrt(width * (1 + attentionKinds(config).length));
    for (let i = 0; i < layers; i++) {
      const names = bertModules(`encoder.layer.${i}`);
      const at = names.attention;
      const projected = distances && {
        ...distances,
        key: { module: `${at}.pos_proj`, bias: false },
        query: { module: `${at}.pos_q_proj`, bias: true },
      };
      const projections = packedByHead(net, at, x, heads, width);
      const mixed = disentangledAttention(net, at, projections, shape, projected, scale);
      x = postNormLayer(net, x, names, layer, mixed);
    }
    hiddenOutput(net, x, rows, hidden);
  },
};

/** One layer gives the query, key and value of each head in turn. Only queries and values have biases. */
function packedByHead(net: Network, at: string, x: string, heads: number, width: number): Projections {
  const hidden = heads * width;
  const packed = linear(net, `${at}.in_proj`, x, { from: hidden, to: 3 * hidden, bias: false });
  const each = net.op(at, 'Reshape', [packed, net.g.ints([-1, heads, 3 * width])]);
  const [query, key, value] = net.ops(at, 'Split', [each], { axis: -1, num_outputs: 3 }, 3);
  const biased = (y: string, name: string) =>
    net.op(at, 'Add', [flat(net, y, hidden), net.weight(`${at}.${name}`, [hidden])]);
  return { query: biased(query, 'q_bias'), key, value: biased(value, 'v_bias') };
}

/** The distances of its tokens; undefined if it has none. */
function distancesOf(net: Network, config: Config, rows: string, hidden: number): Distances | undefined {
  if (!config.flag('relative_attention', false)) return undefined;
  const span = distanceRange(config);
  return {
    table: net.weight('encoder.rel_embeddings.weight', [2 * span, hidden]),
    span,
    rows: tableRows(net, rows, span),
    kinds: attentionKinds(config),
  };
}

/** The distance from which on all are equally far. */
export const distanceRange = (config: Config): number =>
  config.atLeastOne('max_relative_positions') ?? config.count('max_position_embeddings', 512);

/** A list, or in older files a string: `p2c|c2p`. */
export function attentionKinds(config: Config): string[] {
  const value = config.isText('pos_att_type')
    ? config.text('pos_att_type').toLowerCase().split('|')
    : (config.texts('pos_att_type') ?? []);
  return value.map((kind) => kind.trim());
}

/** 1 for each token and 0 for padding: (tokens, 1). */
export const realTokens = (net: Network, mask: string): string =>
  net.op('', 'Cast', [flat(net, mask, 1)], { to: DType.float });

/**
 * The embeddings of DeBERTa, of either version: (tokens, hidden), where padding is 0.
 *
 * @param vocabulary for a config.json without vocab_size
 * @param real 1 for each token and 0 for padding: (tokens, 1)
 */
export function debertaEmbeddings(
  net: Network,
  config: Config,
  { ids, rows }: TextInputs,
  { hidden, epsilon }: EncoderSize,
  vocabulary: number,
  real: string,
): string {
  const at = 'embeddings';
  const size = config.count('embedding_size', hidden);
  const table = (name: string, of: string, count: number) => embedding(net, `${at}.${name}`, of, count, size);
  let sum = table('word_embeddings', ids, config.count('vocab_size', vocabulary));
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
export function pairsOf(net: Network, mask: string): string {
  const along = (axis: number) => net.op('', 'Unsqueeze', [mask, net.g.ints([1, axis])]);
  return net.op('', 'Cast', [net.op('', 'Mul', [along(2), along(3)])], { to: DType.bool });
}
