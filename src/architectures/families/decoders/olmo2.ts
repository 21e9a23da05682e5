import { activationOf } from '../../blocks/activation';
import { DecoderInputs, decoderOutputs, gated, selfAttention } from '../../blocks/decoder';
import { rmsNormOf } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { ropeOf, rotary } from '../../blocks/rope';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { decoderSize, LLAMA_SIZE } from '../../settings';
import { chosenBiases } from './llama';

const EMBEDDING = 'embed_tokens';

/** transformers' Olmo2Config and modeling_olmo2.py: norms after attention and feed-forward part, and of all heads together. */
export const olmo2: Family = {
  prefixes: ['model.'],
  marker: `${EMBEDDING}.weight`,
  caches: true,
  build,
};

function build(net: Network, config: Config): void {
  const size = decoderSize(config, { ...LLAMA_SIZE, vocabulary: 50304, epsilon: 1e-5 });
  const { hidden, layers, width, epsilon } = size;
  const norm = rmsNormOf(epsilon);
  const act = activationOf(config, 'hidden_act', 'silu');
  const biases = chosenBiases(config);
  const inputs = new DecoderInputs(net, config);
  let x = inputs.embedded(EMBEDDING, size);
  const rotate = rotary(net, inputs.places, ropeOf(config, { width, positions: 2048 }), width);
  for (let i = 0; i < layers; i++) {
    const at = `layers.${i}`;
    const shape = inputs.shape(size, i);
    const norms = { norm, of: 'all' as const };
    const attended = selfAttention(net, `${at}.self_attn`, x, { size, shape, biases, rotate, norms });
    const middle = net.op(at, 'Add', [x, norm(net, `${at}.post_attention_layernorm`, attended, hidden)]);
    const fed = gated(net, `${at}.mlp`, middle, size, act);
    x = net.op(at, 'Add', [middle, norm(net, `${at}.post_feedforward_layernorm`, fed, hidden)]);
  }
  const end = norm(net, 'norm', x, hidden);
  decoderOutputs(net, config, end, inputs.rows, size, { embedding: EMBEDDING, tied: false });
}
