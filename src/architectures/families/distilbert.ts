import { activationOf } from '../blocks/activation';
import { attention, paddingBias } from '../blocks/attention';
import { layerNorm, linear } from '../blocks/layers';
import { POSITIONS } from '../blocks/network';
import { counted, embedding, flat, hiddenOutput, textInputs } from '../blocks/text';
import type { Family } from '../family';
import { headWidth } from './encoder-size';

/** Of all its norms: not a setting. */
const EPSILON = 1e-12;

/** DistilBertModel in transformers (modeling_distilbert.py). How positions were initialized does not matter. */
export const distilbert: Family = {
  prefixes: ['distilbert.'],
  marker: 'embeddings.word_embeddings.weight',
  build(net, config) {
    const hidden = config.count('dim', 768);
    const inner = config.count('hidden_dim', 3072);
    const heads = config.count('n_heads', 12);
    const layers = config.count('n_layers', 6);
    // transformers takes these names too, and prefers them.
    config.require('hidden_size', hidden);
    config.require('num_attention_heads', heads);
    config.require('num_hidden_layers', layers);
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
    const shape = { heads, keyValueHeads: heads, width, rows, bias: paddingBias(net, mask) };
    const square = { from: hidden, to: hidden };
    for (let i = 0; i < layers; i++) {
      const at = `transformer.layer.${i}`;
      const self = `${at}.attention`;
      const project = (name: string) => linear(net, `${self}.${name}`, x, square);
      const projections = { query: project('q_lin'), key: project('k_lin'), value: project('v_lin') };
      const mixed = attention(net, self, projections, shape);
      const middle = net.op(at, 'Add', [linear(net, `${self}.out_lin`, mixed, square), x]);
      const y = layerNorm(net, `${at}.sa_layer_norm`, middle, hidden, EPSILON);
      const wide = linear(net, `${at}.ffn.lin1`, y, { from: hidden, to: inner });
      const fed = linear(net, `${at}.ffn.lin2`, act(net, `${at}.ffn.activation`, wide), {
        from: inner,
        to: hidden,
      });
      x = layerNorm(net, `${at}.output_layer_norm`, net.op(at, 'Add', [fed, y]), hidden, EPSILON);
    }
    hiddenOutput(net, x, rows, hidden);
  },
};
