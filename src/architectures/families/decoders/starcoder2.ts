import { activationOf } from '../../blocks/activation';
import { DecoderInputs, decoderOutputs, feedForward, selfAttention } from '../../blocks/decoder';
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
  // It has another name here.
  epsilon: 1e-5,
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
  const { hidden, layers, width } = size;
  const epsilon = config.number('norm_epsilon', DEFAULTS.epsilon);
  const act = activationOf(config, 'hidden_act', 'gelu_pytorch_tanh');
  const bias = config.flag('use_bias', true);
  const window = slidingWindow(config);
  const inputs = new DecoderInputs(net, config);
  let x = inputs.embedded(EMBEDDING, size);
  const rotate = rotary(net, inputs.places, ropeOf(config, { width, positions: 4096 }), width);
  const norm = (name: string, y: string) => layerNorm(net, name, y, hidden, epsilon);
  for (let i = 0; i < layers; i++) {
    const at = `layers.${i}`;
    const attended = selfAttention(net, `${at}.self_attn`, norm(`${at}.input_layernorm`, x), {
      size,
      shape: inputs.shape(size, i, window),
      biases: { qkv: bias, output: bias },
      rotate,
    });
    const middle = net.op(at, 'Add', [x, attended]);
    const after = norm(`${at}.post_attention_layernorm`, middle);
    const fed = feedForward(net, `${at}.mlp`, after, size, act, { up: 'c_fc', down: 'c_proj', bias });
    x = net.op(at, 'Add', [middle, fed]);
  }
  decoderOutputs(net, config, norm('norm', x), inputs.rows, size, { embedding: EMBEDDING, tied: true });
}
