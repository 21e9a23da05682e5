import { activationOf } from '../../blocks/activation';
import { DecoderInputs, decoderOutputs, feedForward, MEGATRON } from '../../blocks/decoder';
import { fusedAttention } from '../../blocks/fused-attention';
import { layerNorm } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { ropeFrom, type Rope, rotary } from '../../blocks/rope';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { headWidth } from '../../settings';

const EMBEDDING = 'embed_in';

/** transformers' GPTNeoXConfig and modeling_gpt_neox.py, also Pythia: query_key_value is packed head by head. */
export const gptNeoX: Family = {
  prefixes: ['gpt_neox.'],
  marker: `${EMBEDDING}.weight`,
  caches: true,
  build,
};

/** The usual settings, but with other names for two of them outside of rope_parameters. */
function ropeOf(config: Config, width: number): Rope {
  const scaling = config.filled('rope_scaling') ?? config.filled('rope_parameters');
  const own = scaling?.has('partial_rotary_factor') ? scaling.share('partial_rotary_factor') : undefined;
  if (own !== undefined) config.require('rotary_pct', own);
  const part = own ?? config.share('rotary_pct', 0.25);
  config.require('partial_rotary_factor', part);
  const theta = config.number('rotary_emb_base', 10000);
  // Versions of transformers read one of these names or the other.
  config.require('rope_theta', theta);
  config.require('head_dim', width);
  return ropeFrom(config, scaling, {
    ...{ width, positions: 2048, theta },
    part,
  });
}

function build(net: Network, config: Config): void {
  const hidden = config.count('hidden_size', 6144);
  const heads = config.count('num_attention_heads', 64);
  const layers = config.layers('num_hidden_layers', 44);
  const inner = config.count('intermediate_size', 24576);
  const vocabulary = config.count('vocab_size', 50432);
  const width = headWidth(config, hidden, heads);
  const epsilon = config.number('layer_norm_eps', 1e-5);
  const act = activationOf(config, 'hidden_act', 'gelu');
  const bias = config.flag('attention_bias', true);
  const isParallel = config.flag('use_parallel_residual', true);
  const inputs = new DecoderInputs(net, config);
  let x = inputs.embedded(EMBEDDING, { vocabulary, hidden });
  const rotate = rotary(net, inputs.places, ropeOf(config, width), width);
  const norm = (name: string, y: string) => layerNorm(net, name, y, hidden, epsilon);
  for (let i = 0; i < layers; i++) {
    const at = `layers.${i}`;
    const before = norm(`${at}.input_layernorm`, x);
    const shape = inputs.shape({ heads, keyValueHeads: heads, width }, i);
    const attended = fusedAttention(net, `${at}.attention`, before, shape, { hidden, bias, rotate });
    const middle = net.op(at, 'Add', [attended, x]);
    const after = norm(`${at}.post_attention_layernorm`, isParallel ? x : middle);
    const fed = feedForward(net, `${at}.mlp`, after, { hidden, inner }, act, MEGATRON);
    x = net.op(at, 'Add', [fed, middle]);
  }
  const end = norm('final_layer_norm', x);
  const head = { embedding: EMBEDDING, head: 'embed_out', tied: false };
  decoderOutputs(net, config, end, inputs.rows, { vocabulary, hidden }, head);
}
