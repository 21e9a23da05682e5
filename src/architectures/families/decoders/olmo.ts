import { activationOf } from '../../blocks/activation';
import { DecoderInputs, decoderOutputs, gated, selfAttention } from '../../blocks/decoder';
import { serialLayer } from '../../blocks/decoder-layer';
import { bareLayerNorm } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { ropeOf, rotary } from '../../blocks/rope';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { decoderSize, LLAMA_SIZE } from '../../settings';
import { chosenBiases } from './llama';

const EMBEDDING = 'embed_tokens';

/** transformers' OlmoConfig and modeling_olmo.py: Llama with norms that have no weights. */
export const olmo: Family = {
  prefixes: ['model.'],
  marker: `${EMBEDDING}.weight`,
  caches: true,
  build,
};

function build(net: Network, config: Config): void {
  const size = decoderSize(config, { ...LLAMA_SIZE, vocabulary: 50304 });
  const { hidden, layers, width } = size;
  const act = activationOf(config, 'hidden_act', 'silu');
  const biases = chosenBiases(config);
  const clip = config.has('clip_qkv') ? config.number('clip_qkv') : undefined;
  // Not a setting.
  const norm = (module: string, x: string) => bareLayerNorm(net, module, x, hidden, 1e-5);
  const inputs = new DecoderInputs(net, config);
  let x = inputs.embedded(EMBEDDING, size);
  const rotate = rotary(net, inputs.places, ropeOf(config, { width, positions: 2048 }), width);
  for (let i = 0; i < layers; i++) {
    const at = `layers.${i}`;
    const shape = inputs.shape(size, i);
    x = serialLayer(net, at, x, {
      norm,
      attend: (y) => selfAttention(net, `${at}.self_attn`, y, { size, shape, biases, rotate, clip }),
      feed: (y) => gated(net, `${at}.mlp`, y, size, act),
    });
  }
  decoderOutputs(net, config, norm('norm', x), inputs.rows, size, { embedding: EMBEDDING, tied: false });
}
