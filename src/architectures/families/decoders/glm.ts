import { activationOf } from '../../blocks/activation';
import { DecoderInputs, decoderOutputs, selfAttention } from '../../blocks/decoder';
import { serialLayer } from '../../blocks/decoder-layer';
import { packedGated } from '../../blocks/feed-forward';
import { rmsNorm } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { ropeOf, rotary } from '../../blocks/rope';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { decoderSize } from '../../settings';

const EMBEDDING = 'embed_tokens';
const DEFAULTS = {
  hidden: 4096,
  inner: 13696,
  layers: 40,
  heads: 32,
  keyValueHeads: 2,
  width: 128,
  vocabulary: 151552,
  epsilon: 1.5625e-7,
};

/** @param after true if there are also norms after attention and feed-forward part */
const glmLike = (after: boolean): Family => ({
  prefixes: ['model.'],
  marker: `${EMBEDDING}.weight`,
  caches: true,
  build: (net, config) => build(net, config, after),
});

/** transformers' GlmConfig and modeling_glm.py: GLM-4-9B and GLM-Edge. */
export const glm = glmLike(false);

/** transformers' Glm4Config and modeling_glm4.py: GLM-4-0414 and GLM-Z1. */
export const glm4 = glmLike(true);

function build(net: Network, config: Config, after: boolean): void {
  const size = decoderSize(config, DEFAULTS);
  const { hidden, layers, width, epsilon } = size;
  const act = activationOf(config, 'hidden_act', 'silu');
  const biases = { qkv: config.flag('attention_bias', true), output: false };
  const norm = (module: string, x: string) => rmsNorm(net, module, x, hidden, epsilon);
  const last = (module: string, x: string) => (after ? norm(module, x) : x);
  const inputs = new DecoderInputs(net, config);
  let x = inputs.embedded(EMBEDDING, size);
  const rope = ropeOf(config, { width, positions: 131072, part: 0.5 });
  const rotate = rotary(net, inputs.places, rope, width, true);
  for (let i = 0; i < layers; i++) {
    const at = `layers.${i}`;
    const shape = inputs.shape(size, i);
    x = serialLayer(net, at, x, {
      norm,
      attend: (y) =>
        last(
          `${at}.post_self_attn_layernorm`,
          selfAttention(net, `${at}.self_attn`, y, { size, shape, biases, rotate }),
        ),
      feed: (y) => last(`${at}.post_mlp_layernorm`, packedGated(net, `${at}.mlp`, y, size, act)),
    });
  }
  decoderOutputs(net, config, norm('norm', x), inputs.rows, size, { embedding: EMBEDDING, tied: false });
}
