import { AuroraError } from '../../../base/errors';
import { activationOf } from '../../blocks/activation';
import { DecoderInputs, decoderOutputs, feedForward, selfAttention } from '../../blocks/decoder';
import { layerNorm } from '../../blocks/layers';
import { type Network, POSITIONS } from '../../blocks/network';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { headWidth, type Window } from '../../settings';

const EMBEDDING = 'wte';

/** Sizes have two names, of which transformers prefers these. */
const OTHER_NAMES = { num_attention_heads: 'num_heads', num_hidden_layers: 'num_layers' };

/** transformers' GPTNeoConfig and modeling_gpt_neo.py: GPT-2 with windows, and scores that are not scaled. */
export const gptNeo: Family = {
  prefixes: ['transformer.'],
  marker: `${EMBEDDING}.weight`,
  caches: true,
  build: (net, config) => build(net, config.renamed(OTHER_NAMES)),
};

function build(net: Network, config: Config): void {
  const hidden = config.count('hidden_size', 2048);
  const heads = config.count('num_heads', 16);
  const layers = config.layers('num_layers', 24);
  const inner = config.count('intermediate_size', 4 * hidden);
  const vocabulary = config.count('vocab_size', 50257);
  const epsilon = config.number('layer_norm_epsilon', 1e-5);
  const most = config.count('max_position_embeddings', 2048);
  const width = headWidth(config, hidden, heads);
  const act = activationOf(config, 'activation_function', 'gelu_new');
  const windows = windowsOf(config, layers);
  const inputs = new DecoderInputs(net, config);
  net.metadata.set(POSITIONS, String(most));
  let x = inputs.placed(EMBEDDING, 'wpe', { vocabulary, hidden }, most);
  for (let i = 0; i < layers; i++) {
    const at = `h.${i}`;
    const before = layerNorm(net, `${at}.ln_1`, x, hidden, epsilon);
    const size = { hidden, heads, keyValueHeads: heads, width };
    const attended = selfAttention(net, `${at}.attn.attention`, before, {
      ...{ size, shape: inputs.shape(size, i, windows[i]), scale: 1, output: 'out_proj' },
      biases: { qkv: false, output: true },
    });
    const middle = net.op(at, 'Add', [attended, x]);
    const after = layerNorm(net, `${at}.ln_2`, middle, hidden, epsilon);
    const fed = feedForward(net, `${at}.mlp`, after, { hidden, inner }, act, { up: 'c_fc', down: 'c_proj' });
    x = net.op(at, 'Add', [middle, fed]);
  }
  const end = layerNorm(net, 'ln_f', x, hidden, epsilon);
  decoderOutputs(net, config, end, inputs.rows, { vocabulary, hidden }, { embedding: EMBEDDING, tied: true });
}

const [GLOBAL, LOCAL] = ['global', 'local'];

/** The window of each layer. Files have its kind twice; transformers reads attention_layers if it is there. */
function windowsOf(config: Config, layers: number): Window[] {
  const key = config.has('attention_layers') ? 'attention_layers' : 'attention_types';
  const own = key === 'attention_layers' ? config.texts(key) : config.repeated(key);
  const kinds = own ?? Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? GLOBAL : LOCAL));
  if (!kinds.every((kind) => kind === GLOBAL || kind === LOCAL))
    throw config.unsupported(key, [GLOBAL, LOCAL]);
  if (kinds.length !== layers)
    throw new AuroraError(
      'model',
      `${config.path}: ${key} names ${kinds.length} layers, but num_layers is ${layers}.`,
      'Download the config.json of this model again.',
    );
  const window = config.count('window_size', 256);
  return kinds.map((kind) => (kind === LOCAL ? window : undefined));
}
