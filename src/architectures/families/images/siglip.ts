import { clipLayers } from '../../blocks/clip-layers';
import { layerNorm } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { patches, patchTokens } from '../../blocks/patches';
import { hiddenOutput } from '../../blocks/text';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { BASE_SIZE, encoderSize } from '../../settings';
import { twoModels } from './two-models';

/** The module of the image model in larger ones, and in folders of older versions. */
export const IMAGES = 'vision_model.';
/** In the image model. */
export const MARKER = 'embeddings.patch_embedding.weight';
/** For a config.json without `hidden_act`. */
export const SIGLIP_ACTIVATION = 'gelu_pytorch_tanh';

/** SiglipVisionModel in transformers (modeling_siglip.py, SiglipVisionConfig). */
export const siglipVision: Family = {
  prefixes: [IMAGES],
  marker: MARKER,
  build: (net, config) => buildVision(net, config, ''),
};

/** SiglipForImageClassification (SiglipConfig); a folder of SiglipModel is a text model and an image model in one. */
export const siglip: Family = {
  prefixes: [''],
  marker: `${IMAGES}${MARKER}`,
  build(net, config) {
    if (!config.isFor('ForImageClassification'))
      throw twoModels(config, 'a text model and an image model', [['vision_config', 'siglip_vision_model']]);
    buildVision(net, config.section('vision_config') ?? config, IMAGES);
  },
};

/** @param prefix of the model's modules */
function buildVision(net: Network, config: Config, prefix: string): void {
  const size = encoderSize(config, { ...BASE_SIZE, epsilon: 1e-6 });
  const { hidden, heads, width, epsilon } = size;
  const at = `${prefix}embeddings`;
  const cut = patches(net, config, { module: `${at}.patch_embedding`, hidden, patch: 16, bias: true });
  const table = net.weight(`${at}.position_embedding.weight`, [cut.count, hidden]);
  const { x: embedded, rows } = patchTokens(net, cut, hidden, [], table);
  const shape = { heads, keyValueHeads: heads, width, rows };
  const x = clipLayers(net, config, `${prefix}encoder`, embedded, { size, shape, act: SIGLIP_ACTIVATION });
  hiddenOutput(net, layerNorm(net, `${prefix}post_layernorm`, x, hidden, epsilon), rows, hidden);
}
