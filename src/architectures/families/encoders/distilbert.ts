import { activationOf } from '../../blocks/activation';
import { paddingBias } from '../../blocks/attention';
import { postNormLayer, type EncoderLayer } from '../../blocks/encoder-layer';
import { layerNorm } from '../../blocks/layers';
import { POSITIONS } from '../../blocks/network';
import { counted, embedding, flat, hiddenOutput, textInputs } from '../../blocks/text';
import type { Family } from '../../family';
import { headWidth } from '../../settings';

/** The epsilon of all its norms, which is not a setting. */
const EPSILON = 1e-12;

const NAMES = { hidden_size: 'dim', num_attention_heads: 'n_heads', num_hidden_layers: 'n_layers' };

/** DistilBertModel in transformers (modeling_distilbert.py). The initialization of positions does not matter. */
export const distilbert: Family = {
  prefixes: ['distilbert.'],
  marker: 'embeddings.word_embeddings.weight',
  build(net, given) {
    const config = given.renamed(NAMES);
    const hidden = config.count('dim', 768);
    const inner = config.count('hidden_dim', 3072);
    const heads = config.count('n_heads', 12);
    const layers = config.layers('n_layers', 6);
    const width = headWidth(config, hidden, heads);
    const act = activationOf(config, 'activation', 'gelu');
    const { ids, mask, rows } = textInputs(net);
    const most = config.count('max_position_embeddings', 512);
    net.metadata.set(POSITIONS, String(most));
    const words = embedding(
      net,
      'embeddings.word_embeddings',
      ids,
      config.count('vocab_size', 30522),
      hidden,
    );
    const places = embedding(net, 'embeddings.position_embeddings', counted(net, rows), most, hidden);
    const sum = net.op('embeddings', 'Add', [words, places]);
    let x = layerNorm(net, 'embeddings.LayerNorm', flat(net, sum, hidden), hidden, EPSILON);
    const layer: EncoderLayer = {
      size: { hidden, inner, epsilon: EPSILON },
      shape: { heads, keyValueHeads: heads, width, rows, bias: paddingBias(net, mask) },
      act,
    };
    for (let i = 0; i < layers; i++) x = postNormLayer(net, x, modulesOf(`transformer.layer.${i}`), layer);
    hiddenOutput(net, x, rows, hidden);
  },
};

const modulesOf = (at: string) => ({
  attention: `${at}.attention`,
  query: `${at}.attention.q_lin`,
  key: `${at}.attention.k_lin`,
  value: `${at}.attention.v_lin`,
  output: `${at}.attention.out_lin`,
  attentionNorm: `${at}.sa_layer_norm`,
  up: `${at}.ffn.lin1`,
  activation: `${at}.ffn.activation`,
  down: `${at}.ffn.lin2`,
  norm: `${at}.output_layer_norm`,
});
