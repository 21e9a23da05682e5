import { activationOf } from '../../blocks/activation';
import { DecoderInputs, decoderOutputs, feedForward, selfAttention } from '../../blocks/decoder';
import { layerNorm } from '../../blocks/layers';
import { type Network, POSITIONS } from '../../blocks/network';
import { type Rope, ropeFrom, rotary } from '../../blocks/rope';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { headWidth } from '../../settings';

const EMBEDDING = 'wte';

/** Sizes have two names, of which transformers prefers these. */
const OTHER_NAMES = {
  hidden_size: 'n_embd',
  max_position_embeddings: 'n_positions',
  num_attention_heads: 'n_head',
  num_hidden_layers: 'n_layer',
};

/**
 * transformers' GPTJConfig and modeling_gptj.py: attention and feed-forward part read the same norm, rotary embeddings turn
 * neighbouring features, and the head has a bias.
 */
export const gptJ: Family = {
  prefixes: ['transformer.'],
  marker: `${EMBEDDING}.weight`,
  caches: true,
  build: (net, config) => build(net, config.renamed(OTHER_NAMES)),
};

function build(net: Network, config: Config): void {
  const hidden = config.count('n_embd', 4096);
  const heads = config.count('n_head', 16);
  const layers = config.layers('n_layer', 28);
  const inner = config.count('n_inner', 4 * hidden);
  const vocabulary = config.count('vocab_size', 50400);
  const epsilon = config.number('layer_norm_epsilon', 1e-5);
  const most = config.count('n_positions', 2048);
  const width = headWidth(config, hidden, heads);
  const act = activationOf(config, 'activation_function', 'gelu_new');
  const inputs = new DecoderInputs(net, config);
  net.metadata.set(POSITIONS, String(most));
  let x = inputs.embedded(EMBEDDING, { vocabulary, hidden });
  const rotate = rotary(net, inputs.places, turned(config, width, most), width, true);
  for (let i = 0; i < layers; i++) {
    const at = `h.${i}`;
    const before = layerNorm(net, `${at}.ln_1`, x, hidden, epsilon);
    const size = { hidden, heads, keyValueHeads: heads, width };
    const attended = selfAttention(net, `${at}.attn`, before, {
      ...{ size, shape: inputs.shape(size, i), rotate, output: 'out_proj' },
      biases: { qkv: false, output: false },
    });
    const fed = feedForward(net, `${at}.mlp`, before, { hidden, inner }, act, {
      up: 'fc_in',
      down: 'fc_out',
    });
    x = net.op(at, 'Add', [net.op(at, 'Add', [attended, fed]), x]);
  }
  const end = layerNorm(net, 'ln_f', x, hidden, epsilon);
  const head = { embedding: EMBEDDING, tied: false, bias: true };
  decoderOutputs(net, config, end, inputs.rows, { vocabulary, hidden }, head);
}

/** Rotary embeddings of the first features of each head. Their base is not a setting. */
function turned(config: Config, width: number, positions: number): Rope {
  const key = 'rotary_dim';
  // Without a number, transformers turns as many features as all heads have, which do not fit one head.
  const count = config.isNull(key) ? 0 : config.index(key, 64);
  if (count === 0 || count % 2 !== 0 || count > width)
    throw config.unsupported(key, [`an even number up to ${width}`]);
  return ropeFrom(config, undefined, { width: count, positions, theta: 10000 });
}
