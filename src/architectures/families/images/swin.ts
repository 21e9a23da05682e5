import { activationOf, type Activation } from '../../blocks/activation';
import { preNormLayer, type EncoderLayer } from '../../blocks/encoder-layer';
import { layerNorm, linear } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { patches } from '../../blocks/patches';
import { flat, hiddenOutput } from '../../blocks/text';
import {
  fromWindows,
  intoWindows,
  padMap,
  turnedBias,
  windowDistances,
  type WindowGrid,
} from '../../blocks/windows';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { preparedSize } from '../../folder/prepared-size';
import { headWidth } from '../../settings';
import { bertModules } from '../encoders/bert';

/** The epsilon of norms that have no setting. */
const EPSILON = 1e-5;

/** More tokens than any model has, and larger windows: tables for them are held in memory. */
const MOST_TOKENS = 2 ** 22;
const MOST_WINDOW = 64;

/** A stage: its map of tokens, and the settings that its layers share. */
interface Stage {
  module: string;
  rows: number;
  columns: number;
  size: number;
  heads: number;
  layers: number;
}

/** SwinModel in transformers (modular_swin.py), without its pooler, which has no weights: the mean of all tokens. */
export const swin: Family = {
  prefixes: ['swin.'],
  marker: 'embeddings.patch_embeddings.projection.weight',
  build(net, given) {
    const config = given.renamed({ num_attention_heads: 'num_heads' });
    const hidden = config.count('embed_dim', 96);
    const depths = config.counts('depths', [2, 2, 6, 2]);
    const heads = config.counts('num_heads', [3, 6, 12, 24]);
    if (heads.length < depths.length || depths.length > 10)
      throw config.unsupported('depths', [[2, 2, 6, 2]]);
    const own = {
      act: activationOf(config, 'hidden_act', 'gelu'),
      epsilon: config.number('layer_norm_eps', 1e-5),
    };
    const cut = patches(net, config, {
      module: 'embeddings.patch_embeddings.projection',
      hidden,
      patch: 4,
      bias: true,
      // Images of any size are read.
      size: preparedSize(config.path),
      padded: true,
    });
    if (cut.count > MOST_TOKENS) throw config.unsupported('image_size', [224]);
    let x = layerNorm(net, 'embeddings.norm', flat(net, cut.x, hidden), hidden, EPSILON);
    if (config.flag('use_absolute_embeddings', false)) {
      const table = net.weight('embeddings.position_embeddings', [1, cut.count, hidden]);
      const all = net.op('embeddings', 'Reshape', [x, net.g.ints([-1, cut.count, hidden])]);
      x = flat(net, net.op('embeddings', 'Add', [all, table]), hidden);
    }
    let [rows, columns] = cut.grid;
    depths.forEach((layers, i) => {
      const module = `encoder.layers.${i}`;
      const stage = { module, rows, columns, size: hidden * 2 ** i, heads: heads[i], layers };
      for (let layer = 0; layer < layers; layer++)
        x = windowLayer(net, config, x, stage, { ...own, layer, batch: cut.batch });
      if (i === depths.length - 1) return;
      x = merged(net, x, stage);
      [rows, columns] = [Math.ceil(rows / 2), Math.ceil(columns / 2)];
    });
    const size = hidden * 2 ** (depths.length - 1);
    const shape = net.op('', 'Concat', [cut.batch, net.g.ints([rows * columns])], { axis: 0 });
    hiddenOutput(net, layerNorm(net, 'layernorm', x, size, own.epsilon), shape, size);
  },
};

/** A layer on x (tokens, size); every second one cuts the map in other places. */
function windowLayer(
  net: Network,
  config: Config,
  x: string,
  { module, rows, columns, size, heads }: Stage,
  { layer, act, epsilon, batch }: { layer: number; act: Activation; epsilon: number; batch: string },
): string {
  const at = `${module}.blocks.${layer}`;
  const names = modulesOf(at);
  const side = config.count('window_size', 7);
  const least = Math.min(rows, columns);
  // transformers cannot run such a model either: its table of distances does not fit.
  if (side > least || side > MOST_WINDOW)
    throw config.unsupported('window_size', [Math.min(least, MOST_WINDOW)]);
  const shift = layer % 2 === 0 || side === least ? 0 : Math.floor(side / 2);
  const grid: WindowGrid = { rows, columns, size, side, shift };
  const near = windowDistances(net, names.attention, side, heads);
  const own: EncoderLayer = {
    size: { hidden: size, inner: Math.floor(size * config.number('mlp_ratio', 4)), epsilon },
    shape: {
      heads,
      keyValueHeads: heads,
      width: headWidth(config, size, heads),
      rows: net.g.ints([-1, side * side]),
      bias: shift > 0 ? forAll(net, names.attention, near, grid, heads, batch) : near,
    },
    act,
    bias: config.flag('qkv_bias', true),
  };
  const windows = {
    into: (y: string) => intoWindows(net, at, y, grid),
    back: (y: string) => fromWindows(net, at, y, grid),
  };
  return preNormLayer(net, x, names, own, { windows });
}

/** The values that distances and places in a turned map add to the scores: (images · windows, heads, side², side²). */
function forAll(
  net: Network,
  at: string,
  near: string,
  grid: WindowGrid,
  heads: number,
  batch: string,
): string {
  const both = net.op(at, 'Unsqueeze', [
    net.op(at, 'Add', [near, turnedBias(net, at, grid)]),
    net.g.ints([0]),
  ]);
  const size = net.op(at, 'Concat', [batch, net.g.ints([1, 1, 1, 1])], { axis: 0 });
  const area = grid.side ** 2;
  return net.op(at, 'Reshape', [net.op(at, 'Expand', [both, size]), net.g.ints([-1, heads, area, area])]);
}

/** Each four neighbors of a map as one token, with twice as many features: x (tokens, size) to (tokens / 4, 2 · size). */
function merged(net: Network, x: string, { module, rows, columns, size }: Stage): string {
  const at = `${module}.downsample`;
  const shaped = (y: string, ...dims: number[]) => net.op(at, 'Reshape', [y, net.g.ints(dims)]);
  const map = padMap(net, at, shaped(x, -1, rows, columns, size), [rows % 2, columns % 2]);
  const pairs = shaped(map, -1, 2, columns + (columns % 2), size);
  // The two of a column follow each other, then those of the next one.
  const four = shaped(net.op(at, 'Transpose', [pairs], { perm: [0, 2, 1, 3] }), -1, 4 * size);
  const normed = layerNorm(net, `${at}.norm`, four, 4 * size, EPSILON);
  return linear(net, `${at}.reduction`, normed, { from: 4 * size, to: 2 * size, bias: false });
}

const modulesOf = (at: string) => ({
  ...bertModules(at),
  attentionNorm: `${at}.layernorm_before`,
  norm: `${at}.layernorm_after`,
});
