import { activationOf } from '../../blocks/activation';
import { paddingBias } from '../../blocks/attention';
import { bertEmbeddings } from '../../blocks/bert-embeddings';
import { postNormLayer, type EncoderLayer } from '../../blocks/encoder-layer';
import { linear } from '../../blocks/layers';
import { hiddenOutput, textInputs } from '../../blocks/text';
import type { Family } from '../../family';
import { requireEncoder } from './bert';
import { encoderSize } from '../../settings';

const SIZE = { hidden: 4096, inner: 16384, layers: 12, heads: 64, epsilon: 1e-12 };

/** AlbertModel in transformers (modeling_albert.py) without its pooler: groups of layers share their weights. */
export const albert: Family = {
  prefixes: ['albert.'],
  marker: 'embeddings.word_embeddings.weight',
  build(net, config) {
    requireEncoder(config);
    const { hidden, inner, layers, heads, width, epsilon } = encoderSize(config, SIZE);
    const groups = config.count('num_hidden_groups', 1);
    const inGroup = config.count('inner_group_num', 1);
    const size = config.count('embedding_size', 128);
    const inputs = textInputs(net);
    const { mask, rows } = inputs;
    const own = { vocabulary: 30000, types: 2, first: 0, skipsPadding: false };
    const embedded = bertEmbeddings(net, config, inputs, { size, epsilon }, own);
    let x = linear(net, 'encoder.embedding_hidden_mapping_in', embedded, { from: size, to: hidden });
    const layer: EncoderLayer = {
      size: { hidden, inner, epsilon },
      shape: { heads, keyValueHeads: heads, width, rows, bias: paddingBias(net, mask) },
      act: activationOf(config, 'hidden_act', 'gelu_new'),
    };
    for (let i = 0; i < layers; i++) {
      const group = `encoder.albert_layer_groups.${Math.floor(i / (layers / groups))}`;
      for (let j = 0; j < inGroup; j++)
        x = postNormLayer(net, x, modulesOf(`${group}.albert_layers.${j}`), layer);
    }
    hiddenOutput(net, x, rows, hidden);
  },
};

const modulesOf = (at: string) => ({
  attention: `${at}.attention`,
  query: `${at}.attention.query`,
  key: `${at}.attention.key`,
  value: `${at}.attention.value`,
  output: `${at}.attention.dense`,
  attentionNorm: `${at}.attention.LayerNorm`,
  up: `${at}.ffn`,
  activation: `${at}.activation`,
  down: `${at}.ffn_output`,
  norm: `${at}.full_layer_layer_norm`,
});
