import { AuroraError } from '../../../base/errors';
import { activationOf } from '../../blocks/activation';
import type { AttentionShape } from '../../blocks/attention';
import { preNormLayer } from '../../blocks/encoder-layer';
import { layerNorm } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { patches, patchTokens } from '../../blocks/patches';
import { hiddenOutput } from '../../blocks/text';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { BASE_SIZE, encoderSize, type EncoderSize } from '../../settings/encoder-size';

const IMAGES = 'vision_model';

/** CLIPVisionModel in transformers, without the norm of its pooled state. */
export const clipVision: Family = {
  prefixes: [''],
  marker: `${IMAGES}.embeddings.class_embedding`,
  outer: `${IMAGES}.`,
  build: (net, config) => buildVision(net, config),
};

/** A text model and an image model in one; a classifier of images has only the latter. */
export const clip: Family = {
  prefixes: [''],
  marker: `${IMAGES}.embeddings.class_embedding`,
  build(net, config) {
    if (!config.isFor('ForImageClassification')) throw twoModels(config);
    // If both are there, transformers prefers the older name.
    buildVision(net, config.section('vision_config_dict') ?? config.section('vision_config') ?? config);
  },
};

const twoModels = (config: Config) =>
  new AuroraError(
    'model',
    `${config.path}: model_type is "clip", which is a text model and an image model in one.`,
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

/**
 * The layers of either model: x (tokens, hidden) to the same.
 *
 * @param before is given the input of each of them
 */
export function encoded(
  net: Network,
  config: Config,
  model: string,
  embedded: string,
  { hidden, inner, layers, epsilon }: EncoderSize,
  shape: AttentionShape,
  before: (i: number, x: string) => void = () => undefined,
): string {
  const act = activationOf(config, 'hidden_act', 'quick_gelu');
  let x = embedded;
  for (let i = 0; i < layers; i++) {
    before(i, x);
    x = preNormLayer(net, x, modulesOf(`${model}.encoder.layers.${i}`), {
      size: { hidden, inner, epsilon },
      shape,
      act,
    });
  }
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
