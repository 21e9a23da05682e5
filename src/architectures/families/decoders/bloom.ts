import { TANH_GELU } from '../../blocks/activation';
import { alibi, alibiSlopes } from '../../blocks/alibi';
import { DecoderInputs, decoderOutputs, feedForward, MEGATRON } from '../../blocks/decoder';
import { fusedAttention } from '../../blocks/fused-attention';
import { layerNorm } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { headWidth } from '../../settings';

const EMBEDDING = 'word_embeddings';

/** Sizes have two names, of which transformers prefers these. */
const OTHER_NAMES = { n_embed: 'hidden_size', num_attention_heads: 'n_head', num_hidden_layers: 'n_layer' };

/** transformers' BloomConfig and modeling_bloom.py: ALiBi counted from the mask, and a norm after the embeddings. */
export const bloom: Family = {
  prefixes: ['transformer.'],
  marker: `${EMBEDDING}.weight`,
  caches: true,
  build: (net, config) => build(net, config.renamed(OTHER_NAMES)),
};

function build(net: Network, config: Config): void {
  const hidden = config.count('hidden_size', 64);
  const heads = config.count('n_head', 8);
  const layers = config.layers('n_layer', 2);
  const vocabulary = config.count('vocab_size', 250880);
  const epsilon = config.number('layer_norm_epsilon', 1e-5);
  const width = headWidth(config, hidden, heads);
  const addsNormed = config.flag('apply_residual_connection_post_layernorm', false);
  // The slow way of transformers leaves out the biases of the last linear layers.
  if (config.count('pretraining_tp', 1) > 1) config.require('slow_but_exact', false);
  const inputs = new DecoderInputs(net, config);
  const norm = (name: string, y: string) => layerNorm(net, name, y, hidden, epsilon);
  let x = norm('word_embeddings_layernorm', inputs.embedded(EMBEDDING, { vocabulary, hidden }));
  const bias = net.op('', 'Add', [alibi(net, inputs.countedFromZero, alibiSlopes(heads)), inputs.bias()]);
  for (let i = 0; i < layers; i++) {
    const at = `h.${i}`;
    const before = norm(`${at}.input_layernorm`, x);
    const shape = { ...inputs.shape({ heads, keyValueHeads: heads, width }, i), bias };
    const attended = fusedAttention(net, `${at}.self_attention`, before, shape, { hidden, bias: true });
    const middle = net.op(at, 'Add', [attended, addsNormed ? before : x]);
    const after = norm(`${at}.post_attention_layernorm`, middle);
    const fed = feedForward(net, `${at}.mlp`, after, { hidden, inner: 4 * hidden }, TANH_GELU, MEGATRON);
    x = net.op(at, 'Add', [fed, addsNormed ? after : middle]);
  }
  const end = norm('ln_f', x);
  decoderOutputs(net, config, end, inputs.rows, { vocabulary, hidden }, { embedding: EMBEDDING, tied: true });
}
