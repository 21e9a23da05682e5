import { type Activation, activationOf } from '../../blocks/activation';
import {
  type DecoderFacts,
  DecoderInputs,
  decoderOutputs,
  type DecoderSize,
  selfAttention,
} from '../../blocks/decoder';
import { gated } from '../../blocks/feed-forward';
import { rmsNormOf } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { type Rope, ropeOf, ropesOfKinds, rotary } from '../../blocks/rope';
import type { Family } from '../../family';
import type { Config } from '../../folder/config';
import { type DecoderDefaults, decoderSize, isBetween, slidingWindow, windows } from '../../settings';
import { chosenBiases, llamaLike } from './llama';

/**
 * hidden_activation, which older files have, or hidden_act. "gelu" in hidden_act alone stands for the tanh form, with
 * which all Gemma models were trained, as in transformers before 4.48: the files of Gemma 1.0 say so.
 */
function activation(config: Config): Activation {
  if (config.has('hidden_activation')) return activationOf(config, 'hidden_activation', TANH);
  const isOld = config.has('hidden_act') && config.text('hidden_act') === 'gelu';
  return activationOf(config, isOld ? 'hidden_activation' : 'hidden_act', TANH);
}

const TANH = 'gelu_pytorch_tanh';

/** transformers' GemmaConfig and modeling_gemma.py: norms with 1 + weight, and scaled embeddings. */
export const gemma = llamaLike({
  defaults: {
    hidden: 3072,
    inner: 24576,
    layers: 28,
    heads: 16,
    keyValueHeads: 16,
    width: 256,
    vocabulary: 256000,
    epsilon: 1e-6,
  },
  rope: { positions: 8192 },
  tied: true,
  activation,
  biases: chosenBiases,
  plus: 1,
  scale: ({ hidden }) => Math.sqrt(hidden),
});

const EMBEDDING = 'embed_tokens';

/** The differences between Gemma 2 and 3. */
export interface Gemma2Variant {
  vocabulary: number;
  /** True if a layer has a window; used without layer_types. */
  slides(config: Config, layer: number): boolean;
  /** The rotations of layers: those without a window, and those with one. */
  ropes(config: Config, size: DecoderSize): { full: Rope; sliding: Rope };
  /** For a config.json without max_position_embeddings. */
  positions: number;
  /** True if the queries and keys of each head are normalized. */
  norms: boolean;
  /**
   * The caps of attention scores and of logits, unless config.json has others; undefined for none. Gemma 3 reads
   * attn_logit_softcapping, and does nothing with it.
   */
  caps: { scores: number | 'never'; logits?: number };
}

const DEFAULTS: Omit<DecoderDefaults, 'vocabulary'> = {
  hidden: 2304,
  inner: 9216,
  layers: 26,
  heads: 8,
  keyValueHeads: 4,
  width: 256,
  epsilon: 1e-6,
};

/** Gemma 2 and 3: Gemma with norms before and after attention and feed-forward part, and windows in some layers. */
const gemma2Like = (variant: Gemma2Variant): Family => ({
  prefixes: ['model.'],
  marker: `${EMBEDDING}.weight`,
  caches: true,
  facts: (config) => factsOf(config, variant),
  build: (net, config) => build(net, config, variant),
});

/** transformers' Gemma2Config and modeling_gemma2.py. */
export const gemma2 = gemma2Like({
  vocabulary: 256000,
  slides: (_, layer) => layer % 2 === 0,
  positions: 8192,
  ropes(config, { width }) {
    const rope = ropeOf(config, { width, positions: 8192 });
    return { full: rope, sliding: rope };
  },
  norms: false,
  caps: { scores: 50, logits: 30 },
});

/** A softcapping, where null means none. */
const capOf = (config: Config, key: string, missing: number | undefined): number | undefined =>
  config.isNull(key) || (missing === undefined && !config.has(key)) ? undefined : config.number(key, missing);

function factsOf(config: Config, variant: Gemma2Variant): DecoderFacts & { rope: Rope; slidingRope: Rope } {
  const size = decoderSize(config, { ...DEFAULTS, vocabulary: variant.vocabulary });
  const { full, sliding } = variant.ropes(config, size);
  return {
    ...size,
    config,
    positions: config.count('max_position_embeddings', variant.positions),
    windows: windows(config, size.layers, slidingWindow(config, 4096), (i) => variant.slides(config, i)),
    rope: full,
    slidingRope: sliding,
  };
}

function build(net: Network, config: Config, variant: Gemma2Variant): void {
  const { windows: seen, rope, slidingRope, ...size } = factsOf(config, variant);
  const { hidden, layers, width, epsilon } = size;
  const norm = rmsNormOf(epsilon, 1);
  const act = activationOf(config, 'hidden_activation', 'gelu_pytorch_tanh');
  const biases = chosenBiases(config);
  const scale = 1 / Math.sqrt(config.number('query_pre_attn_scalar', 256));
  const { scores, logits } = variant.caps;
  const cap = scores === 'never' ? undefined : capOf(config, 'attn_logit_softcapping', scores);
  const inputs = new DecoderInputs(net, config);
  let x = inputs.embedded(EMBEDDING, size, Math.sqrt(hidden));
  const full = rotary(net, inputs.places, rope, width);
  const sliding = slidingRope === rope ? full : rotary(net, inputs.places, slidingRope, width);
  for (let i = 0; i < layers; i++) {
    const at = `layers.${i}`;
    const before = norm(net, `${at}.input_layernorm`, x, hidden);
    const attended = selfAttention(net, `${at}.self_attn`, before, {
      size,
      shape: inputs.shape(size, i, seen[i]),
      biases,
      rotate: seen[i] === undefined ? full : sliding,
      ...(variant.norms && { norms: { norm, of: 'head' } }),
      scale,
      cap,
    });
    const middle = net.op(at, 'Add', [x, norm(net, `${at}.post_attention_layernorm`, attended, hidden)]);
    const inner = norm(net, `${at}.pre_feedforward_layernorm`, middle, hidden);
    const fed = gated(net, `${at}.mlp`, inner, size, act);
    x = net.op(at, 'Add', [middle, norm(net, `${at}.post_feedforward_layernorm`, fed, hidden)]);
  }
  decoderOutputs(net, config, norm(net, 'norm', x, hidden), inputs.rows, size, {
    embedding: EMBEDDING,
    tied: true,
    cap: capOf(config, 'final_logit_softcapping', logits),
  });
}

/**
 * transformers' Gemma3TextConfig and the text model of modeling_gemma3.py: Gemma 2 with normalized queries and keys, other
 * rotary embeddings in layers with a window, and no softcapping.
 */
export const gemma3Text = gemma2Like({
  vocabulary: 262208,
  slides: (config, layer) => isBetween(config, layer, 6),
  positions: 131072,
  ropes(config, { width }) {
    const theta = {
      full: config.number('rope_theta', 1000000),
      sliding: config.number('rope_local_base_freq', 10000),
    };
    return ropesOfKinds(config, { width, positions: 131072, theta });
  },
  norms: true,
  caps: { scores: 'never' },
});

/**
 * The model of texts in Gemma3ForConditionalGeneration (4B and larger). Without images, it computes the same as
 * Gemma3ForCausalLM.
 */
export const gemma3: Family = {
  ...gemma3Text,
  // The first part differs between versions of transformers.
  prefixes: ['model.language_model.', 'language_model.model.'],
  facts: (config) => gemma3Text.facts!(textConfig(config)),
  build(net, config) {
    const text = textConfig(config);
    if (config.isFor('ForSequenceClassification'))
      throw config.unsupported('architectures', [['Gemma3ForConditionalGeneration']]);
    text.require('model_type', 'gemma3_text');
    text.require('per_layer_config', {});
    for (const each of [config, text]) each.require('tie_word_embeddings', true);
    gemma3Text.build(net, text);
  },
};

function textConfig(config: Config): Config {
  const text = config.section('text_config');
  if (text) return text;
  throw config.unsupported('text_config', ['the settings of the text model']);
}
