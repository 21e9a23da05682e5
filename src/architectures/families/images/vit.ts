import { activationOf } from '../../blocks/activation';
import { preNormLayer, type EncoderLayer } from '../../blocks/encoder-layer';
import { layerNorm } from '../../blocks/layers';
import { patches, patchTokens } from '../../blocks/patches';
import { hiddenOutput } from '../../blocks/text';
import type { Family } from '../../family';
import { encoderSize } from '../../settings';

/** ViT and its relatives, as ViTModel in transformers without its pooler. */
const vitLike = (prefix: string, tokens: readonly string[]): Family => ({
  prefixes: [prefix],
  marker: 'embeddings.cls_token',
  build(net, config) {
    const { hidden, inner, layers, heads, width, epsilon } = encoderSize(config);
    const module = 'embeddings.patch_embeddings.projection';
    const cut = patches(net, config, { module, hidden, patch: 16, bias: true });
    const first = tokens.map((name) => net.weight(`embeddings.${name}`, [1, 1, hidden]));
    const positions = [1, tokens.length + cut.count, hidden];
    const table = net.weight('embeddings.position_embeddings', positions);
    const { x: embedded, rows } = patchTokens(net, cut, hidden, first, table);
    const layer: EncoderLayer = {
      size: { hidden, inner, epsilon },
      shape: { heads, keyValueHeads: heads, width, rows },
      act: activationOf(config, 'hidden_act', 'gelu'),
      bias: config.flag('qkv_bias', true),
    };
    let x = embedded;
    for (let i = 0; i < layers; i++) x = preNormLayer(net, x, vitModules(`encoder.layer.${i}`), layer);
    hiddenOutput(net, layerNorm(net, 'layernorm', x, hidden, epsilon), rows, hidden);
  },
});

/** transformers' modeling_vit.py. */
export const vit = vitLike('vit.', ['cls_token']);

/** transformers' modeling_deit.py: one more token, which was trained to repeat the answers of a teacher. */
export const deit = vitLike('deit.', ['cls_token', 'distillation_token']);

/**
 * transformers' modeling_vit_mae.py: the encoder of a model that was trained to fill in pictures. All patches are read:
 * `mask_ratio` counts as 0.
 */
export const vitMae = vitLike('vit.', ['cls_token']);

/** The modules of a layer in ViT. */
export const vitModules = (at: string) => ({
  attention: `${at}.attention.attention`,
  query: `${at}.attention.attention.query`,
  key: `${at}.attention.attention.key`,
  value: `${at}.attention.attention.value`,
  output: `${at}.attention.output.dense`,
  attentionNorm: `${at}.layernorm_before`,
  up: `${at}.intermediate.dense`,
  activation: `${at}.intermediate.intermediate_act_fn`,
  down: `${at}.output.dense`,
  norm: `${at}.layernorm_after`,
});
