import { activationOf } from '../../blocks/activation';
import { paddingBias } from '../../blocks/attention';
import { bertEmbeddings } from '../../blocks/bert-embeddings';
import { distanceBias } from '../../blocks/distance-bias';
import { postNormLayer, type EncoderLayer } from '../../blocks/encoder-layer';
import { hiddenOutput, textInputs } from '../../blocks/text';
import type { Family } from '../../family';
import { BASE_SIZE, encoderSize } from '../../settings';

/** Not a setting in config.json: the encoder of transformers does not pass its setting on. */
const BUCKETS = 32;

/** MPNetModel in transformers (modeling_mpnet.py) without its pooler. Its padding id is always 1. */
export const mpnet: Family = {
  prefixes: ['mpnet.'],
  marker: 'embeddings.word_embeddings.weight',
  build(net, config) {
    const { hidden, inner, layers, heads, width, epsilon } = encoderSize(config, BASE_SIZE);
    const inputs = textInputs(net);
    const { mask, rows } = inputs;
    const own = { vocabulary: 30527, types: 0, first: 2, skipsPadding: true };
    let x = bertEmbeddings(net, config, inputs, { size: hidden, epsilon }, own);
    const near = distanceBias(net, rows, {
      module: 'encoder.relative_attention_bias',
      rows: config.count('relative_attention_num_buckets', BUCKETS),
      heads,
      buckets: BUCKETS,
      furthest: 128,
    });
    const layer: EncoderLayer = {
      size: { hidden, inner, epsilon },
      shape: {
        heads,
        keyValueHeads: heads,
        width,
        rows,
        bias: net.op('', 'Add', [near, paddingBias(net, mask)]),
      },
      act: activationOf(config, 'hidden_act', 'gelu'),
    };
    for (let i = 0; i < layers; i++) x = postNormLayer(net, x, modulesOf(`encoder.layer.${i}`), layer);
    hiddenOutput(net, x, rows, hidden);
  },
};

const modulesOf = (at: string) => ({
  attention: `${at}.attention.attn`,
  query: `${at}.attention.attn.q`,
  key: `${at}.attention.attn.k`,
  value: `${at}.attention.attn.v`,
  output: `${at}.attention.attn.o`,
  attentionNorm: `${at}.attention.LayerNorm`,
  up: `${at}.intermediate.dense`,
  activation: `${at}.intermediate.intermediate_act_fn`,
  down: `${at}.output.dense`,
  norm: `${at}.output.LayerNorm`,
});
