import { attention, paddingBias } from '../../blocks/attention';
import { withPlaces } from '../../blocks/bert-embeddings';
import { postNormParts } from '../../blocks/encoder-layer';
import { layerNorm, linear } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { rotary } from '../../blocks/rope';
import { counted, embedding, flat, hiddenOutput, textInputs } from '../../blocks/text';
import type { Family } from '../../family';
import { type NomicSettings, nomicSettings } from './nomic-settings';

/**
 * NomicBertModel in transformers (modular_nomic_bert.py), whose folders have the names of the model's remote code
 * (modeling_hf_nomic_bert.py in nomic-ai/nomic-bert-2048).
 */
export const nomicBert: Family = {
  prefixes: ['bert.', 'nomic_bert.'],
  marker: 'embeddings.word_embeddings.weight',
  build(net, config) {
    const settings = nomicSettings(config);
    const { hidden, layers, heads, width, epsilon, rope, interleaved, biases } = settings;
    const inputs = textInputs(net);
    const { ids, mask, rows } = inputs;
    const words = embedding(net, 'embeddings.word_embeddings', ids, settings.vocabulary, hidden);
    const sum = withPlaces(net, inputs, words, hidden, settings);
    let x = layerNorm(net, 'emb_ln', flat(net, sum, hidden), hidden, epsilon);
    const rotate = rope && rotary(net, counted(net, rows), rope, width, interleaved);
    const shape = { heads, keyValueHeads: heads, width, rows, bias: paddingBias(net, mask) };
    const all = heads * width;
    for (let i = 0; i < layers; i++) {
      const names = modulesOf(`encoder.layers.${i}`);
      const packed = linear(net, names.packed, x, { from: hidden, to: 3 * all, bias: biases.attention });
      const [query, key, value] = net.ops(
        names.attention,
        'Split',
        [packed],
        { axis: -1, num_outputs: 3 },
        3,
      );
      const mixed = attention(net, names.attention, { query, key, value }, shape, { rotate });
      const attended = linear(net, names.output, mixed, { from: all, to: hidden, bias: biases.attention });
      const feed = (y: string) => feedForward(net, `encoder.layers.${i}.mlp`, y, settings);
      x = postNormParts(net, x, names, { hidden, epsilon }, { attended, feed });
    }
    hiddenOutput(net, x, rows, hidden);
  },
};

/** The activation is that of the second of two layers, or of the only one. */
function feedForward(net: Network, at: string, x: string, settings: NomicSettings): string {
  const { hidden, inner, act, gated, biases } = settings;
  const wide = (name: string) =>
    linear(net, `${at}.${name}`, x, { from: hidden, to: inner, bias: biases.up });
  const active = (y: string) => act(net, `${at}.act`, y);
  const fed = gated ? net.op(at, 'Mul', [wide('fc11'), active(wide('fc12'))]) : active(wide('fc1'));
  return linear(net, `${at}.fc2`, fed, { from: inner, to: hidden, bias: biases.down });
}

const modulesOf = (at: string) => ({
  attention: `${at}.attn`,
  packed: `${at}.attn.Wqkv`,
  output: `${at}.attn.out_proj`,
  attentionNorm: `${at}.norm1`,
  down: `${at}.mlp.fc2`,
  norm: `${at}.norm2`,
});
