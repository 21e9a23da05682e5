import { activationOf } from '../../blocks/activation';
import { DecoderInputs, decoderOutputs, type QueryKeyNorm, selfAttention } from '../../blocks/decoder';
import { parallelLayer } from '../../blocks/decoder-layer';
import { plainFeedForward } from '../../blocks/feed-forward';
import { layerNorm } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { ropeOf, rotary } from '../../blocks/rope';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { decoderSize } from '../../settings';

const EMBEDDING = 'embed_tokens';
const DEFAULTS = {
  hidden: 2048,
  inner: 8192,
  layers: 24,
  heads: 32,
  vocabulary: 51200,
  epsilon: 1e-5,
  epsilonKey: 'layer_norm_eps',
};

/** transformers' PhiConfig and modeling_phi.py: Phi-1, Phi-1.5 and Phi-2, with biases everywhere. */
export const phi: Family = {
  prefixes: ['model.'],
  marker: `${EMBEDDING}.weight`,
  caches: true,
  build,
};

function build(net: Network, config: Config): void {
  const size = decoderSize(config, DEFAULTS);
  const { hidden, layers, width, epsilon } = size;
  const act = activationOf(config, 'hidden_act', 'gelu_new');
  const norms: QueryKeyNorm | undefined = config.flag('qk_layernorm', false)
    ? {
        norm: (_, module, x) => layerNorm(net, module, x, width, epsilon),
        of: 'head',
        names: { query: 'q_layernorm', key: 'k_layernorm' },
      }
    : undefined;
  const norm = (module: string, x: string) => layerNorm(net, module, x, hidden, epsilon);
  const inputs = new DecoderInputs(net, config);
  let x = inputs.embedded(EMBEDDING, size);
  const rope = ropeOf(config, { width, positions: 2048, part: 0.5 });
  const rotate = rotary(net, inputs.places, rope, width);
  for (let i = 0; i < layers; i++) {
    const at = `layers.${i}`;
    const shape = inputs.shape(size, i);
    const biases = { qkv: true, output: true };
    x = parallelLayer(net, at, x, {
      norm,
      attend: (y) =>
        selfAttention(net, `${at}.self_attn`, y, { size, shape, biases, rotate, norms, output: 'dense' }),
      feed: (y) => plainFeedForward(net, `${at}.mlp`, y, size, act, { up: 'fc1', down: 'fc2', bias: true }),
    });
  }
  decoderOutputs(net, config, norm('final_layernorm', x), inputs.rows, size, {
    embedding: EMBEDDING,
    tied: false,
    bias: true,
  });
}
