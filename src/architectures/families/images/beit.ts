import { activationOf } from '../../blocks/activation';
import { preNormLayer, type EncoderLayer } from '../../blocks/encoder-layer';
import { layerNorm } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { patches, patchTokens } from '../../blocks/patches';
import { hiddenOutput } from '../../blocks/text';
import { distanceIndex, distancesWithFirst } from '../../blocks/windows';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { encoderSize } from '../../settings';
import { vitModules } from './vit';

/** The side of a larger map than any model has, in patches: tables for it are held in memory. */
const MOST_SIDE = 256;

const beitLike = (prefix: string): Family => ({
  prefixes: [prefix],
  marker: 'embeddings.cls_token',
  build,
});

/** BeitModel in transformers (modular_beit.py, BeitConfig). */
export const beit = beitLike('beit.');

/** Data2VecVisionModel (modeling_data2vec_vision.py, Data2VecVisionConfig), the same model. */
export const data2vecVision = beitLike('data2vec_vision.');

function build(net: Network, config: Config): void {
  const { hidden, inner, layers, heads, width, epsilon } = encoderSize(config);
  config.require('head_dim', width);
  const module = 'embeddings.patch_embeddings.projection';
  const cut = patches(net, config, { module, hidden, patch: 16, bias: true });
  const token = net.weight('embeddings.cls_token', [1, 1, hidden]);
  const table = config.flag('use_absolute_position_embeddings', false)
    ? net.weight('embeddings.position_embeddings', [1, 1 + cut.count, hidden])
    : undefined;
  const { x: embedded, rows } = patchTokens(net, cut, hidden, [token], table);
  const biases = distanceBiases(net, config, cut.grid, heads);
  const isScaled = config.any('layer_scale_init_value', 0.1) > 0;
  const act = activationOf(config, 'hidden_act', 'gelu');
  let x = embedded;
  for (let i = 0; i < layers; i++) {
    const at = `encoder.layer.${i}`;
    const layer: EncoderLayer = {
      size: { hidden, inner, epsilon },
      shape: { heads, keyValueHeads: heads, width, rows, bias: biases(vitModules(at).attention) },
      act,
      bias: { query: true, key: false, value: true },
    };
    const scale = (name: string) => net.weight(`${at}.${name}`, [hidden]);
    const scales = isScaled ? ([scale('lambda_1'), scale('lambda_2')] as const) : undefined;
    x = preNormLayer(net, x, vitModules(at), layer, { scales });
  }
  // Otherwise the pooler has a norm.
  const isNormed = !config.flag('use_mean_pooling', true);
  hiddenOutput(net, isNormed ? layerNorm(net, 'layernorm', x, hidden, epsilon) : x, rows, hidden);
}

/** The values by distance that are added to the scores of an attention: each layer's own, those of all, or both. */
function distanceBiases(
  net: Network,
  config: Config,
  [rows, columns]: readonly [number, number],
  heads: number,
): (attention: string) => string | undefined {
  const hasOwn = config.flag('use_relative_position_bias', false);
  const isShared = config.flag('use_shared_relative_position_bias', false);
  if (!hasOwn && !isShared) return () => undefined;
  // transformers takes the table of another map for one of as many columns as rows.
  if (rows !== columns || rows > MOST_SIDE) {
    const [patch] = config.size('patch_size', 16);
    throw config.unsupported('image_size', [Math.min(rows, columns, MOST_SIDE) * patch]);
  }
  const index = distanceIndex(net, rows);
  const of = (module: string) =>
    distancesWithFirst(net, `${module}.relative_position_bias`, index, rows, heads);
  const shared = isShared ? of('encoder') : undefined;
  return (attention) => {
    if (!hasOwn) return shared;
    const own = of(attention);
    return shared === undefined ? own : net.op(attention, 'Add', [shared, own]);
  };
}
