import { activationOf } from '../../blocks/activation';
import { DecoderInputs, decoderOutputs, gated, type QueryKeyNorm, selfAttention } from '../../blocks/decoder';
import { rmsNormOf } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { type Rope, ropeOf, ropesOfKinds, rotary } from '../../blocks/rope';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import {
  type DecoderDefaults,
  decoderSize,
  LLAMA_SIZE,
  slidingWindow,
  type Window,
  windows,
} from '../../settings';
import { chosenBiases } from './llama';

const EMBEDDING = 'embed_tokens';

/** The differences between models whose layers have their norms after attention and feed-forward part. */
export interface Olmo2Variant {
  defaults: DecoderDefaults;
  /** True for linear layers of attention that have a bias. */
  biases(config: Config): { qkv: boolean; output: boolean };
  /** The norms of queries and keys. */
  norms: QueryKeyNorm['of'];
  /** Each layer's; by default, layers attend to all tokens. */
  windows?(config: Config, layers: number): Window[];
  /** The rotations of layers without a window, and of those with one; undefined where positions do not count. */
  ropes(config: Config, width: number, layers: readonly Window[]): { full?: Rope; sliding?: Rope };
}

/** OLMo 2 and its relatives. */
export const olmo2Like = (variant: Olmo2Variant): Family => ({
  prefixes: ['model.'],
  marker: `${EMBEDDING}.weight`,
  caches: true,
  build: (net, config) => build(net, config, variant),
});

const DEFAULTS = { ...LLAMA_SIZE, vocabulary: 50304, epsilon: 1e-5 };

/** transformers' Olmo2Config and modeling_olmo2.py: queries and keys are normalized with all heads together. */
export const olmo2 = olmo2Like({
  defaults: DEFAULTS,
  biases: chosenBiases,
  norms: 'all',
  ropes: (config, width) => ({ full: ropeOf(config, { width, positions: 2048 }) }),
});

/** transformers' Olmo3Config and modeling_olmo3.py: OLMo 2 with windows in three of four layers. */
export const olmo3 = olmo2Like({
  defaults: DEFAULTS,
  biases: chosenBiases,
  norms: 'all',
  windows: (config, layers) => windows(config, layers, slidingWindow(config, 4096), (i) => (i + 1) % 4 !== 0),
  ropes: (config, width) => {
    // transformers 5 reads a rope_theta outside of rope_parameters for layers without a window alone.
    const theta = { full: config.number('rope_theta', THETA), sliding: THETA };
    return ropesOfKinds(config, { width, positions: 2048, theta });
  },
});

const THETA = 500000;

function build(net: Network, config: Config, variant: Olmo2Variant): void {
  const size = decoderSize(config, variant.defaults);
  const { hidden, layers, width, epsilon } = size;
  const norm = rmsNormOf(epsilon);
  const norms = { norm, of: variant.norms };
  const act = activationOf(config, 'hidden_act', 'silu');
  const biases = variant.biases(config);
  const seen = variant.windows?.(config, layers) ?? new Array<Window>(layers).fill(undefined);
  const { full, sliding } = variant.ropes(config, width, seen);
  const inputs = new DecoderInputs(net, config);
  let x = inputs.embedded(EMBEDDING, size);
  const turn = (rope: Rope | undefined) => rope && rotary(net, inputs.places, rope, width);
  const isUsed = (window: boolean) => seen.some((each) => (each !== undefined) === window);
  const rotations = {
    full: isUsed(false) ? turn(full) : undefined,
    sliding: isUsed(true) ? turn(sliding) : undefined,
  };
  for (let i = 0; i < layers; i++) {
    const at = `layers.${i}`;
    const shape = inputs.shape(size, i, seen[i]);
    const rotate = seen[i] === undefined ? rotations.full : rotations.sliding;
    const attended = selfAttention(net, `${at}.self_attn`, x, { size, shape, biases, rotate, norms });
    const middle = net.op(at, 'Add', [x, norm(net, `${at}.post_attention_layernorm`, attended, hidden)]);
    const fed = gated(net, `${at}.mlp`, middle, size, act);
    x = net.op(at, 'Add', [middle, norm(net, `${at}.post_feedforward_layernorm`, fed, hidden)]);
  }
  const end = norm(net, 'norm', x, hidden);
  decoderOutputs(net, config, end, inputs.rows, size, { embedding: EMBEDDING, tied: false });
}
