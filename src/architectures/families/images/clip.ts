import { AuroraError } from '../../../base/errors';
import { activationOf } from '../../blocks/activation';
import { causalBias, type AttentionShape } from '../../blocks/attention';
import { preNormLayer } from '../../blocks/encoder-layer';
import { layerNorm } from '../../blocks/layers';
import { POSITIONS, type Network } from '../../blocks/network';
import { patches, patchTokens } from '../../blocks/patches';
import { counted, embedding, flat, hiddenOutput, textInputs } from '../../blocks/text';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { BASE_SIZE, encoderSize, type EncoderSize } from '../../settings/encoder-size';

const TEXT = 'text_model';
const IMAGES = 'vision_model';

/** CLIPTextModel in transformers (modeling_clip.py), without what picks one token's state. */
export const clipText: Family = {
  prefixes: [''],
  marker: `${TEXT}.embeddings.token_embedding.weight`,
  build(net, config) {
    config.require('is_causal', true);
    const size = encoderSize(config, { hidden: 512, inner: 2048, layers: 12, heads: 8, epsilon: 1e-5 });
    const { hidden, heads, width, epsilon } = size;
    const { ids, mask, rows } = textInputs(net);
    const places = counted(net, rows);
    const table = (name: string, at: string, count: number) =>
      embedding(net, `${TEXT}.embeddings.${name}`, at, count, hidden);
    const words = table('token_embedding', ids, config.count('vocab_size', 49408));
    const most = config.count('max_position_embeddings', 77);
    net.metadata.set(POSITIONS, String(most));
    const sum = net.op(`${TEXT}.embeddings`, 'Add', [words, table('position_embedding', places, most)]);
    const bias = causalBias(net, mask, places);
    const shape = { heads, keyValueHeads: heads, width, rows, bias };
    const x = encoded(net, config, TEXT, flat(net, sum, hidden), size, shape);
    hiddenOutput(net, layerNorm(net, `${TEXT}.final_layer_norm`, x, hidden, epsilon), rows, hidden);
  },
};

/** CLIPVisionModel in transformers, without the norm of its pooled state. */
export const clipVision: Family = {
  prefixes: [''],
  marker: `${IMAGES}.embeddings.class_embedding`,
  build: (net, config) => buildVision(net, config),
};

/** A text model and an image model in one; of a classifier of images, only the latter. */
export const clip: Family = {
  prefixes: [''],
  marker: `${IMAGES}.embeddings.class_embedding`,
  build(net, config) {
    if (!config.isFor('ForImageClassification')) throw twoModels(config);
    // Where both are there, transformers prefers the older name.
    buildVision(net, config.section('vision_config_dict') ?? config.section('vision_config') ?? config);
  },
};

const twoModels = (config: Config) =>
  new AuroraError(
    'model',
    `${config.path}: model_type is "clip", which is a model of texts and a model of images in one.`,
    'Make a folder with the same weights, where config.json is the content of vision_config with "model_type": "clip_vision_model", or that of text_config with "model_type": "clip_text_model".',
  );

function buildVision(net: Network, config: Config): void {
  const size = encoderSize(config, { ...BASE_SIZE, epsilon: 1e-5 });
  const { hidden, heads, width, epsilon } = size;
  const at = `${IMAGES}.embeddings`;
  const cut = patches(net, config, { module: `${at}.patch_embedding`, hidden, patch: 32, bias: false });
  const token = net.weight(`${at}.class_embedding`, [hidden]);
  const table = net.weight(`${at}.position_embedding.weight`, [cut.count + 1, hidden]);
  const { x: embedded, rows } = patchTokens(net, cut, hidden, [token], table);
  const x = layerNorm(net, `${IMAGES}.pre_layrnorm`, embedded, hidden, epsilon);
  const shape = { heads, keyValueHeads: heads, width, rows };
  hiddenOutput(net, encoded(net, config, IMAGES, x, size, shape), rows, hidden);
}

/** The layers of either: x (tokens, hidden) to the same. */
function encoded(
  net: Network,
  config: Config,
  model: string,
  embedded: string,
  { hidden, inner, layers, epsilon }: EncoderSize,
  shape: AttentionShape,
): string {
  const act = activationOf(config, 'hidden_act', 'quick_gelu');
  let x = embedded;
  for (let i = 0; i < layers; i++)
    x = preNormLayer(net, x, modulesOf(`${model}.encoder.layers.${i}`), {
      size: { hidden, inner, epsilon },
      shape,
      act,
    });
  return x;
}

const modulesOf = (at: string) => ({
  attention: `${at}.self_attn`,
  query: `${at}.self_attn.q_proj`,
  key: `${at}.self_attn.k_proj`,
  value: `${at}.self_attn.v_proj`,
  output: `${at}.self_attn.out_proj`,
  attentionNorm: `${at}.layer_norm1`,
  up: `${at}.mlp.fc1`,
  activation: `${at}.mlp.activation_fn`,
  down: `${at}.mlp.fc2`,
  norm: `${at}.layer_norm2`,
});
