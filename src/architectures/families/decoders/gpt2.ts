import { activationOf } from '../../blocks/activation';
import { attention } from '../../blocks/attention';
import { type DecoderFacts, DecoderInputs, decoderOutputs } from '../../blocks/decoder';
import { conv1d, layerNorm } from '../../blocks/layers';
import { POSITIONS } from '../../blocks/network';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { headWidth, type Window } from '../../settings';

/** GPT2Model and GPT2LMHeadModel in transformers (modeling_gpt2.py). */
export const gpt2: Family = {
  prefixes: ['transformer.'],
  marker: 'wte.weight',
  caches: true,
  facts,
  build(net, config) {
    config.require('add_cross_attention', false);
    const { hidden, heads, layers, positions: most, width, inner, vocabulary, epsilon } = facts(config);
    const act = activationOf(config, 'activation_function', 'gelu_new');
    const scaled = config.flag('scale_attn_weights', true);
    const byLayer = config.flag('scale_attn_by_inverse_layer_idx', false);
    const inputs = new DecoderInputs(net, config);
    net.metadata.set(POSITIONS, String(most));
    let x = inputs.placed('wte', 'wpe', { vocabulary, hidden }, most);
    for (let i = 0; i < layers; i++) {
      const at = `h.${i}`;
      const before = layerNorm(net, `${at}.ln_1`, x, hidden, epsilon);
      const packed = conv1d(net, `${at}.attn.c_attn`, before, { from: hidden, to: 3 * hidden });
      const [query, key, value] = net.ops(`${at}.attn`, 'Split', [packed], { axis: -1, num_outputs: 3 }, 3);
      const scale = (scaled ? 1 / Math.sqrt(width) : 1) / (byLayer ? i + 1 : 1);
      const shape = inputs.shape({ heads, keyValueHeads: heads, width }, i);
      const mixed = attention(net, `${at}.attn`, { query, key, value }, shape, { scale });
      const attended = conv1d(net, `${at}.attn.c_proj`, mixed, { from: hidden, to: hidden });
      const middle = net.op(at, 'Add', [attended, x]);
      const after = layerNorm(net, `${at}.ln_2`, middle, hidden, epsilon);
      const wide = act(
        net,
        `${at}.mlp.act`,
        conv1d(net, `${at}.mlp.c_fc`, after, { from: hidden, to: inner }),
      );
      x = net.op(at, 'Add', [middle, conv1d(net, `${at}.mlp.c_proj`, wide, { from: inner, to: hidden })]);
    }
    const end = layerNorm(net, 'ln_f', x, hidden, epsilon);
    decoderOutputs(net, config, end, inputs.rows, { vocabulary, hidden }, { embedding: 'wte', tied: true });
  },
};

function facts(config: Config): DecoderFacts {
  const hidden = config.count(name(config, 'n_embd', 'hidden_size'), 768);
  const heads = config.count(name(config, 'n_head', 'num_attention_heads'), 12);
  const layers = config.layers(name(config, 'n_layer', 'num_hidden_layers'), 12);
  return {
    config,
    hidden,
    heads,
    keyValueHeads: heads,
    layers,
    positions: config.count(name(config, 'n_positions', 'max_position_embeddings'), 1024),
    width: headWidth(config, hidden, heads),
    inner: config.count('n_inner', 4 * hidden),
    vocabulary: config.count('vocab_size', 50257),
    epsilon: config.number('layer_norm_epsilon', 1e-5),
    windows: new Array<Window>(layers).fill(undefined),
  };
}

/** The name that config.json has for a size: transformers takes both. They must not disagree. */
function name(config: Config, own: string, other: string): string {
  if (!config.has(own)) return config.has(other) ? other : own;
  config.require(other, config.count(own));
  return own;
}
