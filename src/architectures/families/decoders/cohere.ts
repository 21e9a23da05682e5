import { activationOf } from '../../blocks/activation';
import { DecoderInputs, decoderOutputs, gated, type QueryKeyNorm, selfAttention } from '../../blocks/decoder';
import { parallelLayer } from '../../blocks/decoder-layer';
import { headLayerNorm } from '../../blocks/head-norms';
import { layerNorm } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { ropeOf, rotary } from '../../blocks/rope';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import {
  type DecoderDefaults,
  decoderSize,
  isBetween,
  slidingWindow,
  type Window,
  windows,
} from '../../settings';
import { chosenBiases } from './llama';

const EMBEDDING = 'embed_tokens';
const DEFAULTS: DecoderDefaults = {
  hidden: 8192,
  inner: 22528,
  layers: 40,
  heads: 64,
  vocabulary: 256000,
  epsilon: 1e-5,
  epsilonKey: 'layer_norm_eps',
};

/** The differences between Cohere's models. */
interface CohereVariant {
  /** For a config.json without rope_theta. */
  theta: number;
  /** Each layer's; by default, layers attend to all tokens. */
  windows?(config: Config, layers: number): Window[];
  /** The normalization of queries and keys. */
  norms?(config: Config, epsilon: number): QueryKeyNorm | undefined;
}

const cohereLike = (variant: CohereVariant): Family => ({
  prefixes: ['model.'],
  marker: `${EMBEDDING}.weight`,
  caches: true,
  build: (net, config) => build(net, config, variant),
});

/** transformers' CohereConfig and modeling_cohere.py: Command R and R+. */
export const cohere = cohereLike({
  theta: 500000,
  norms: (config, epsilon) =>
    config.flag('use_qk_norm', false) ? { norm: headLayerNorm(epsilon), of: 'head' } : undefined,
});

/**
 * transformers' Cohere2Config and modeling_cohere2.py: Command R7B and A. Positions count only in layers that have a
 * window.
 */
export const cohere2 = cohereLike({
  theta: 10000,
  windows: (config, layers) =>
    windows(config, layers, slidingWindow(config, 4096), (i) => isBetween(config, i, 4)),
});

function build(net: Network, config: Config, variant: CohereVariant): void {
  const size = decoderSize(config, DEFAULTS);
  const { hidden, layers, width, epsilon } = size;
  const act = activationOf(config, 'hidden_act', 'silu');
  const biases = chosenBiases(config);
  const norms = variant.norms?.(config, epsilon);
  const seen = variant.windows?.(config, layers);
  const norm = (module: string, x: string) => layerNorm(net, module, x, hidden, epsilon, { bias: false });
  const inputs = new DecoderInputs(net, config);
  let x = inputs.embedded(EMBEDDING, size);
  const rope = ropeOf(config, { width, positions: 8192, theta: variant.theta });
  const rotate = rotary(net, inputs.places, rope, width, true);
  for (let i = 0; i < layers; i++) {
    const at = `layers.${i}`;
    const shape = inputs.shape(size, i, seen?.[i]);
    const turns = seen === undefined || seen[i] !== undefined;
    x = parallelLayer(net, at, x, {
      norm,
      attend: (y) =>
        selfAttention(net, `${at}.self_attn`, y, {
          ...{ size, shape, biases, norms },
          ...(turns && { rotate }),
        }),
      feed: (y) => gated(net, `${at}.mlp`, y, size, act),
    });
  }
  decoderOutputs(net, config, norm('norm', x), inputs.rows, size, {
    embedding: EMBEDDING,
    tied: true,
    factor: config.any('logit_scale', 0.0625),
  });
}
