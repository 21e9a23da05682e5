import { activationOf } from '../../blocks/activation';
import { DecoderInputs, decoderOutputs, selfAttention } from '../../blocks/decoder';
import { serialLayer } from '../../blocks/decoder-layer';
import { plainFeedForward } from '../../blocks/feed-forward';
import { layerNorm } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { ropeOf, rotary } from '../../blocks/rope';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { decoderSize } from '../../settings';
import { chosenBiases } from './llama';

const EMBEDDING = 'embed_tokens';
const DEFAULTS = {
  hidden: 6144,
  inner: 24576,
  layers: 32,
  heads: 48,
  vocabulary: 256000,
  epsilon: 1e-5,
  epsilonKey: 'norm_eps',
};

/**
 * transformers' NemotronConfig and modeling_nemotron.py, also Minitron: layer norms with 1 + weight, and a feed-forward part
 * without a gate.
 */
export const nemotron: Family = {
  prefixes: ['model.'],
  marker: `${EMBEDDING}.weight`,
  caches: true,
  build,
};

function build(net: Network, config: Config): void {
  const size = decoderSize(config, DEFAULTS);
  const { hidden, layers, width, epsilon } = size;
  const act = activationOf(config, 'hidden_act', 'relu2');
  const biases = chosenBiases(config, true);
  const norm = (module: string, x: string) => layerNorm(net, module, x, hidden, epsilon, { plus: 1 });
  const inputs = new DecoderInputs(net, config);
  let x = inputs.embedded(EMBEDDING, size);
  const rope = ropeOf(config, { width, positions: 4096, part: 0.5 });
  const rotate = rotary(net, inputs.places, rope, width);
  for (let i = 0; i < layers; i++) {
    const at = `layers.${i}`;
    const shape = inputs.shape(size, i);
    const feed = { up: 'up_proj', down: 'down_proj', bias: biases.mlp };
    x = serialLayer(net, at, x, {
      norm,
      attend: (y) => selfAttention(net, `${at}.self_attn`, y, { size, shape, biases, rotate }),
      feed: (y) => plainFeedForward(net, `${at}.mlp`, y, size, act, feed),
    });
  }
  decoderOutputs(net, config, norm('norm', x), inputs.rows, size, { embedding: EMBEDDING, tied: false });
}
