import { DType } from '../../../graph/dtype';
import { activationOf } from '../../blocks/activation';
import { attention, type AttentionShape, type Projections, splitHeads } from '../../blocks/attention';
import { postNormLayer, project } from '../../blocks/encoder-layer';
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

/** Embeddings of distances between tokens, which all layers of a DeBERTa use. */
export interface Distances {
  /** (2 · span, hidden) */
  table: string;
  span: number;
  /** The row of the table for each query and key: int64 (1, 1, sequence, sequence). */
  rows: string;
  /** `c2p`: the product of a query and the distance of a key; `p2c`: the product of a key and that distance. */
  kinds: readonly string[];
  /** True if distances are projected as tokens are. */
  shared: boolean;
}

/** The distances of a DeBERTa's tokens; undefined if it has none. */
function distancesOf(
  net: Network,
  config: Config,
  rows: string,
  { hidden, epsilon }: { hidden: number; epsilon: number },
): Distances | undefined {
  if (!config.flag('relative_attention', false)) return undefined;
  const most = config.count('max_position_embeddings', 512);
  const range = config.atLeastOne('max_relative_positions') ?? most;
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
    shared: config.flag('share_att_key', false),
  };
}

/** A list, or in older files a string: `p2c|c2p`. */
function attentionKinds(config: Config): string[] {
  const value = config.isText('pos_att_type')
    ? config.text('pos_att_type').toLowerCase().split('|')
    : (config.texts('pos_att_type') ?? []);
  return value.map((kind) => kind.trim());
}

/** The most tokens of a text: the scores of a longer one would not fit into any memory. */
const LONGEST = 2 ** 16;

/** Distances that are too long for the table have its first or last row. */
function tableRows(net: Network, rows: string, span: number, bucket: (distance: number) => number): string {
  // Further away than this, nothing changes any more. With two or three buckets, all but neighbors are equally far.
  const most = bucket(LONGEST) === bucket(1) ? 1 : LONGEST;
  let furthest = 1;
  while (furthest < most && bucket(furthest) < span) furthest++;
  const clamped = Array.from({ length: 2 * furthest + 1 }, (_, i) => {
    const distance = i - furthest;
    const place = Math.sign(distance) * bucket(Math.abs(distance)) + span;
    return Math.min(Math.max(place, 0), 2 * span - 1);
  });
  const at = 'encoder';
  const int = (value: number) => net.g.scalar(value, DType.int64);
  const places = counted(net, rows);
  const distances = net.op(at, 'Sub', [net.op(at, 'Unsqueeze', [places, net.g.ints([1])]), places]);
  const low = net.op(at, 'Max', [distances, int(-furthest)]);
  const index = net.op(at, 'Add', [net.op(at, 'Min', [low, int(furthest)]), int(furthest)]);
  const table = net.g.constant(DType.int64, [clamped.length], clamped);
  return net.op(at, 'Unsqueeze', [net.op(at, 'Gather', [table, index]), net.g.ints([0, 1])]);
}

/** Short distances have a bucket each, longer ones share (make_log_bucket_position, which computes in float32). */
function bucketOf(distance: number, buckets: number, range: number): number {
  const half = Math.floor(buckets / 2);
  if (distance <= half) return distance;
  const log = (of: number) => Math.fround(Math.log(Math.fround(of / half)));
  const share = Math.fround(log(distance) / log(range - 1));
  return Math.ceil(Math.fround(share * (half - 1))) + half;
}

/** The values that distances add to the scores of a layer: (batch, heads, sequence, sequence). */
function distanceScores(
  net: Network,
  at: string,
  { query, key }: Projections,
  shape: AttentionShape,
  { table, span, rows, kinds, shared }: Distances,
  scale: number,
): string[] {
  const { heads, width } = shape;
  const hidden = heads * width;
  const scores = (of: string, module: string) => {
    const made = linear(net, `${at}.${module}`, table, { from: hidden, to: hidden });
    const split = net.op(at, 'Reshape', [made, net.g.ints([1, 2 * span, heads, width])]);
    const turned = net.op(at, 'Transpose', [split], { perm: [0, 2, 3, 1] });
    const all = net.op(at, 'MatMul', [splitHeads(net, at, of, heads, shape), turned]);
    return net.op(at, 'Mul', [all, net.float(scale)]);
  };
  const picked = (all: string, index: string) => {
    const part = (from: number, to: number) =>
      net.op(at, 'Slice', [net.op(at, 'Shape', [all]), net.g.ints([from]), net.g.ints([to])]);
    const size = net.op(at, 'Concat', [part(0, 3), part(2, 3)], { axis: 0 });
    return net.op(at, 'GatherElements', [all, net.op(at, 'Expand', [index, size])], { axis: 3 });
  };
  const flipped = (x: string) => net.op(at, 'Transpose', [x], { perm: [0, 1, 3, 2] });
  const found: string[] = [];
  if (kinds.includes('c2p')) found.push(picked(scores(query, shared ? 'key_proj' : 'pos_key_proj'), rows));
  if (kinds.includes('p2c'))
    found.push(flipped(picked(scores(key, shared ? 'query_proj' : 'pos_query_proj'), flipped(rows))));
  return found;
}
