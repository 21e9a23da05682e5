import { type Activation, activationOf } from '../../blocks/activation';
import {
  type DecoderFacts,
  DecoderInputs,
  decoderOutputs,
  type DecoderSize,
  gated,
  type QueryKeyNorm,
  selfAttention,
} from '../../blocks/decoder';
import { rmsNormOf } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { type Rope, type RopeDefaults, ropeOf, rotary } from '../../blocks/rope';
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

const EMBEDDING = 'embed_tokens';

/** The differences between models that are built like Llama. */
export interface LlamaVariant {
  /** Defaults of sizes that config.json does not give. */
  defaults: DecoderDefaults;
  rope: Omit<RopeDefaults, 'width'>;
  /** True if rotary embeddings turn neighbouring features. */
  interleaved?: boolean;
  /** The default for config.json: true if embedding and head are tied. */
  tied?: boolean;
  activation?(config: Config): Activation;
  /** True for linear layers that have a bias. */
  biases(config: Config): { qkv: boolean; output: boolean; mlp: boolean };
  /** Each layer's; by default, layers attend to all tokens. */
  windows?(config: Config, layers: number): Window[];
  /** True for layers in which positions count; by default, all. */
  turning?(config: Config, layers: number): boolean[];
  /** The norms of queries and keys. */
  norms?: QueryKeyNorm['of'];
  /** Added to the weights of norms. */
  plus?: number;
  /** Embeddings are multiplied by it. */
  scale?(size: DecoderSize, config: Config): number;
  /** The feed-forward parts, if some layers have other ones than Llama's. */
  feed?(net: Network, config: Config, size: DecoderSize, inputs: DecoderInputs): FeedForward;
  /** The factors of attention scores (instead of 1/√width), the two parts of each layer and logits. */
  factors?(config: Config): { attention: number; residual: number; logits: number };
}

/** The feed-forward parts of a model's layers. */
export interface FeedForward {
  /**
   * A layer's, on x (tokens, hidden): as many numbers.
   *
   * @param at its path
   */
  of(at: string, layer: number, x: string): string;
  /** After the last layer. */
  end(): void;
}

/** Llama and its relatives, as LlamaModel and LlamaForCausalLM in transformers. */
export const llamaLike = (variant: LlamaVariant): Family => ({
  prefixes: ['model.'],
  marker: `${EMBEDDING}.weight`,
  caches: true,
  facts: (config) => factsOf(config, variant),
  build: (net, config) => build(net, config, variant),
});

/** Biases of models that have attention_bias, and may have mlp_bias. */
export function chosenBiases(config: Config, mlp = false, missing = false) {
  const attends = config.flag('attention_bias', missing);
  return { qkv: attends, output: attends, mlp: mlp && config.flag('mlp_bias', false) };
}

/** LLaMA 1 to 3, SmolLM and others (transformers' modeling_llama.py). */
export const llama = llamaLike({
  defaults: LLAMA_SIZE,
  rope: { positions: 2048 },
  biases: (config) => chosenBiases(config, true),
});

function factsOf(config: Config, variant: LlamaVariant): DecoderFacts & { rope: Rope } {
  const size = decoderSize(config, variant.defaults);
  const { layers, width } = size;
  return {
    ...size,
    config,
    positions: config.count('max_position_embeddings', variant.rope.positions),
    windows: variant.windows?.(config, layers) ?? new Array<Window>(layers).fill(undefined),
    rope: ropeOf(config, { ...variant.rope, width }),
  };
}

function build(net: Network, config: Config, variant: LlamaVariant): void {
  const { rope, windows, ...size } = factsOf(config, variant);
  const { hidden, layers, width, epsilon } = size;
  const norm = rmsNormOf(epsilon, variant.plus);
  const act = variant.activation?.(config) ?? activationOf(config, 'hidden_act', 'silu');
  const biases = variant.biases(config);
  const turning = variant.turning?.(config, layers);
  const factors = variant.factors?.(config);
  const added = (at: string, before: string, part: string) =>
    net.op(at, 'Add', [before, factors ? net.op(at, 'Mul', [part, net.float(factors.residual)]) : part]);
  const inputs = new DecoderInputs(net, config);
  const feed = variant.feed?.(net, config, size, inputs) ?? {
    of: (at: string, _: number, y: string) => gated(net, `${at}.mlp`, y, size, act, biases.mlp),
    end: () => undefined,
  };
  let x = inputs.embedded(EMBEDDING, size, variant.scale?.(size, config));
  const rotate = rotary(net, inputs.places, rope, width, variant.interleaved);
  for (let i = 0; i < layers; i++) {
    const at = `layers.${i}`;
    const before = norm(net, `${at}.input_layernorm`, x, hidden);
    const attended = selfAttention(net, `${at}.self_attn`, before, {
      size,
      shape: inputs.shape(size, i, windows[i]),
      biases,
      ...((turning?.[i] ?? true) && { rotate }),
      ...(variant.norms && { norms: { norm, of: variant.norms } }),
      ...(factors && { scale: factors.attention }),
    });
    const middle = added(at, x, attended);
    const after = norm(net, `${at}.post_attention_layernorm`, middle, hidden);
    x = added(at, middle, feed.of(at, i, after));
  }
  feed.end();
  const end = norm(net, 'norm', x, hidden);
  decoderOutputs(net, config, end, inputs.rows, size, {
    embedding: EMBEDDING,
    tied: variant.tied ?? false,
    ...(factors && { factor: factors.logits }),
  });
}

/**
 * transformers' MistralConfig and modeling_mistral.py: all layers have a window, or none. With layer_types they decide:
 * AutoConfig reads such a file as Ministral's.
 */
export const mistral = llamaLike({
  defaults: { ...LLAMA_SIZE, inner: 14336, keyValueHeads: 8 },
  rope: { positions: 4096 * 32 },
  biases: () => ({ qkv: false, output: false, mlp: false }),
  windows(config, layers) {
    const window = slidingWindow(config, 4096);
    return windows(config, layers, window, () => window !== undefined);
  },
});

/** transformers' GraniteConfig and modeling_granite.py: Llama with factors at four places. */
export const granite = llamaLike({
  defaults: LLAMA_SIZE,
  rope: { positions: 2048 },
  biases: (config) => chosenBiases(config, true),
  scale: (_, config) => config.number('embedding_multiplier', 1),
  factors: (config) => ({
    attention: config.number('attention_multiplier', 1),
    residual: config.number('residual_multiplier', 1),
    logits: 1 / config.number('logits_scaling', 1),
  }),
});
