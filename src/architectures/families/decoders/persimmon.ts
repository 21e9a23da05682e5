import { activationOf } from '../../blocks/activation';
import { DecoderInputs, decoderOutputs, feedForward, MEGATRON } from '../../blocks/decoder';
import { fusedAttention } from '../../blocks/fused-attention';
import { layerNorm } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { ropeOf, rotary } from '../../blocks/rope';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { headWidth } from '../../settings';

const EMBEDDING = 'embed_tokens';

/** transformers' PersimmonConfig and modeling_persimmon.py: norms of queries and keys, rotary embeddings on half of a head. */
export const persimmon: Family = {
  prefixes: ['model.'],
  marker: `${EMBEDDING}.weight`,
  caches: true,
  build,
};

function build(net: Network, config: Config): void {
  const hidden = config.count('hidden_size', 4096);
  const heads = config.count('num_attention_heads', 64);
  const layers = config.layers('num_hidden_layers', 36);
  const inner = config.count('intermediate_size', 16384);
  const vocabulary = config.count('vocab_size', 262144);
  const epsilon = config.number('layer_norm_eps', 1e-5);
  const width = headWidth(config, hidden, heads);
  // Only the rotary embeddings of transformers would have this size.
  config.require('head_dim', width);
  const act = activationOf(config, 'hidden_act', 'relu2');
  const inputs = new DecoderInputs(net, config);
  let x = inputs.embedded(EMBEDDING, { vocabulary, hidden });
  const rotate = rotary(net, inputs.places, ropeOf(config, { width, positions: 16384, part: 0.5 }), width);
  const norm = (name: string, y: string, size = hidden) => layerNorm(net, name, y, size, epsilon);
  const isNormed = config.flag('qk_layernorm', true);
  for (let i = 0; i < layers; i++) {
    const at = `layers.${i}`;
    const self = `${at}.self_attn`;
    const ofHeads = (name: string) => (y: string) => norm(`${self}.${name}`, y, width);
    const attended = fusedAttention(
      net,
      self,
      norm(`${at}.input_layernorm`, x),
      inputs.shape({ heads, keyValueHeads: heads, width }, i),
      {
        ...{ hidden, bias: true, rotate },
        ...(isNormed && { norms: { query: ofHeads('q_layernorm'), key: ofHeads('k_layernorm') } }),
      },
    );
    const middle = net.op(at, 'Add', [attended, x]);
    const after = norm(`${at}.post_attention_layernorm`, middle);
    x = net.op(at, 'Add', [feedForward(net, `${at}.mlp`, after, { hidden, inner }, act, MEGATRON), middle]);
  }
  const end = norm('final_layernorm', x);
  decoderOutputs(
    net,
    config,
    end,
    inputs.rows,
    { vocabulary, hidden },
    { embedding: EMBEDDING, tied: false },
  );
}
