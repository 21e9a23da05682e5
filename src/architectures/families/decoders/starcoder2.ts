import { activationOf } from '../../blocks/activation';
import { DecoderInputs, decoderOutputs, selfAttention } from '../../blocks/decoder';
import { serialLayer } from '../../blocks/decoder-layer';
import { plainFeedForward } from '../../blocks/feed-forward';
import { layerNorm } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { ropeOf, rotary } from '../../blocks/rope';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { decoderSize, slidingWindow } from '../../settings';

const EMBEDDING = 'embed_tokens';
const DEFAULTS = {
  hidden: 3072,
  inner: 12288,
  layers: 30,
  heads: 24,
  keyValueHeads: 2,
  vocabulary: 49152,
  epsilon: 1e-5,
  epsilonKey: 'norm_epsilon',
};

/** transformers' Starcoder2Config and modeling_starcoder2.py: Llama with GPT-2's norms and feed-forward part. */
export const starcoder2: Family = {
  prefixes: ['model.'],
  marker: `${EMBEDDING}.weight`,
  caches: true,
  build,
};

function build(net: Network, config: Config): void {
  const size = decoderSize(config, DEFAULTS);
  const { hidden, layers, width, epsilon } = size;
  const act = activationOf(config, 'hidden_act', 'gelu_pytorch_tanh');
  const bias = config.flag('use_bias', true);
  const window = slidingWindow(config);
  const inputs = new DecoderInputs(net, config);
  let x = inputs.embedded(EMBEDDING, size);
  const rotate = rotary(net, inputs.places, ropeOf(config, { width, positions: 4096 }), width);
  const norm = (name: string, y: string) => layerNorm(net, name, y, hidden, epsilon);
  const biases = { qkv: bias, output: bias };
  const names = { up: 'c_fc', down: 'c_proj', bias };
  for (let i = 0; i < layers; i++) {
    const at = `layers.${i}`;
    const shape = inputs.shape(size, i, window);
    x = serialLayer(net, at, x, {
      norm,
      attend: (y) => selfAttention(net, `${at}.self_attn`, y, { size, shape, biases, rotate }),
      feed: (y) => plainFeedForward(net, `${at}.mlp`, y, size, act, names),
    });
  }
  decoderOutputs(net, config, norm('norm', x), inputs.rows, size, { embedding: EMBEDDING, tied: true });
}
