import { activationOf } from '../../blocks/activation';
import { DecoderInputs, decoderOutputs, gated, type QueryKeyNorm, selfAttention } from '../../blocks/decoder';
import { parallelLayer, serialLayer } from '../../blocks/decoder-layer';
import { separateLayerNorms } from '../../blocks/head-norms';
import { layerNorm } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { ropeOf, rotary } from '../../blocks/rope';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { decoderSize, headWidth } from '../../settings';

const EMBEDDING = 'embed_tokens';
const DEFAULTS = {
  hidden: 2560,
  inner: 6912,
  layers: 32,
  heads: 32,
  keyValueHeads: 32,
  vocabulary: 50304,
  epsilon: 1e-5,
  epsilonKey: 'layer_norm_eps',
};

/** transformers' StableLmConfig and modeling_stablelm.py: StableLM 3B and StableLM 2. */
export const stableLm: Family = {
  prefixes: ['model.'],
  marker: `${EMBEDDING}.weight`,
  caches: true,
  build,
};

function build(net: Network, config: Config): void {
  const size = decoderSize(config, DEFAULTS);
  const { hidden, layers, heads, width, epsilon } = size;
  // Only its rotary embeddings read the setting.
  config.require('head_dim', headWidth(config, hidden, heads));
  const act = activationOf(config, 'hidden_act', 'silu');
  const biases = { qkv: config.flag('use_qkv_bias', false), output: false };
  const layer = config.flag('use_parallel_residual', false) ? parallelLayer : serialLayer;
  const norms: QueryKeyNorm | undefined = config.flag('qk_layernorm', false)
    ? {
        norm: separateLayerNorms(epsilon),
        of: 'head',
        names: { query: 'q_layernorm', key: 'k_layernorm' },
      }
    : undefined;
  const norm = (module: string, x: string) => layerNorm(net, module, x, hidden, epsilon);
  const inputs = new DecoderInputs(net, config);
  let x = inputs.embedded(EMBEDDING, size);
  const rope = ropeOf(config, { width, positions: 4096, part: 0.25 });
  const rotate = rotary(net, inputs.places, rope, width);
  for (let i = 0; i < layers; i++) {
    const at = `layers.${i}`;
    const shape = inputs.shape(size, i);
    x = layer(net, at, x, {
      norm,
      attend: (y) => selfAttention(net, `${at}.self_attn`, y, { size, shape, biases, rotate, norms }),
      feed: (y) => gated(net, `${at}.mlp`, y, size, act),
    });
  }
  decoderOutputs(net, config, norm('norm', x), inputs.rows, size, { embedding: EMBEDDING, tied: false });
}
