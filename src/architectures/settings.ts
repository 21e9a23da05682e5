import { AuroraError } from '../base/errors';
import type { DecoderSize } from './blocks/decoder';
import type { Config } from './folder/config';

/** Sizes that a config.json without them has in transformers. */
export interface DecoderDefaults extends Omit<DecoderSize, 'keyValueHeads' | 'width'> {
  /** The number of key and value heads; as many as heads by default. */
  keyValueHeads?: number;
  /** hidden / heads by default. */
  width?: number;
  /** The family's name for the epsilon of its norms; rms_norm_eps by default. */
  epsilonKey?: string;
}

/** The sizes of LlamaConfig, which many families share. */
export const LLAMA_SIZE: DecoderDefaults = {
  hidden: 4096,
  inner: 11008,
  layers: 32,
  heads: 32,
  vocabulary: 32000,
  epsilon: 1e-6,
};

/** The sizes of Llama and its relatives, which share their names. */
export function decoderSize(config: Config, defaults: DecoderDefaults): DecoderSize {
  const hidden = config.count('hidden_size', defaults.hidden);
  const heads = config.count('num_attention_heads', defaults.heads);
  const missing = config.isNull('num_key_value_heads') ? heads : (defaults.keyValueHeads ?? heads);
  const keyValueHeads = config.count('num_key_value_heads', missing);
  const width =
    config.has('head_dim') || defaults.width !== undefined
      ? config.count('head_dim', defaults.width)
      : headWidth(config, hidden, heads);
  if (heads % keyValueHeads !== 0 || width % 2 !== 0)
    throw new AuroraError(
      'model',
      `${config.path}: ${heads} attention heads of size ${width} do not fit ${keyValueHeads} key/value heads and rotary embeddings.`,
      'Download the config.json of this model again.',
    );
  return {
    hidden,
    heads,
    keyValueHeads,
    width,
    inner: config.count('intermediate_size', defaults.inner),
    layers: config.layers('num_hidden_layers', defaults.layers),
    vocabulary: config.count('vocab_size', defaults.vocabulary),
    epsilon: config.number(defaults.epsilonKey ?? 'rms_norm_eps', defaults.epsilon),
  };
}

/** Sizes for a config.json that leaves them out. */
export interface EncoderDefaults {
  hidden: number;
  /** Width of the feed-forward part. */
  inner: number;
  layers: number;
  heads: number;
  epsilon: number;
}

export interface EncoderSize extends EncoderDefaults {
  /** Size of a head. */
  width: number;
}

/** The sizes of BERT-Base, ViT-Base and others. */
export const BASE_SIZE: EncoderDefaults = { hidden: 768, inner: 3072, layers: 12, heads: 12, epsilon: 1e-12 };

/** The sizes of BERT, ViT and their relatives, which share their names. */
export function encoderSize(config: Config, defaults = BASE_SIZE): EncoderSize {
  const hidden = config.count('hidden_size', defaults.hidden);
  const heads = config.count('num_attention_heads', defaults.heads);
  return {
    hidden,
    inner: config.count('intermediate_size', defaults.inner),
    layers: config.layers('num_hidden_layers', defaults.layers),
    heads,
    width: headWidth(config, hidden, heads),
    epsilon: config.number('layer_norm_eps', defaults.epsilon),
  };
}

/** @throws AuroraError 'model' if the heads do not divide the hidden size */
export function headWidth(config: Config, hidden: number, heads: number): number {
  if (hidden % heads === 0) return hidden / heads;
  throw new AuroraError(
    'model',
    `${config.path}: a hidden size of ${hidden} cannot be divided among ${heads} attention heads.`,
    'Download the config.json of this model again.',
  );
}

/** The number of tokens that a layer attends to, the current one included; undefined for all up to it. */
export type Window = number | undefined;

/** The setting `sliding_window`, where null means none. */
export const slidingWindow = (config: Config, missing?: number): Window =>
  config.isNull('sliding_window') || (missing === undefined && !config.has('sliding_window'))
    ? undefined
    : config.count('sliding_window', missing);

/**
 * The window of each layer: all those that slide have the same. `layer_types` states which ones do.
 *
 * @param byDefault true if a layer slides if layer_types is missing
 * @throws AuroraError 'model' for other kinds of layers
 */
export function windows(
  config: Config,
  layers: number,
  window: Window,
  byDefault: (layer: number) => boolean,
): Window[] {
  const types = config.texts('layer_types');
  if (types && types.length !== layers)
    throw new AuroraError(
      'model',
      `${config.path}: layer_types names ${types.length} layers, but num_hidden_layers is ${layers}.`,
      'Download the config.json of this model again.',
    );
  if (types && !types.every((type) => KINDS.includes(type))) throw config.unsupported('layer_types', KINDS);
  const sliding = Array.from({ length: layers }, (_, i) => (types ? types[i] === SLIDING : byDefault(i)));
  // transformers cannot run such a model either.
  if (window === undefined && sliding.includes(true))
    throw config.unsupported('sliding_window', [
      'a number of tokens, since some layers use a sliding window',
    ]);
  return sliding.map((slides) => (slides ? window : undefined));
}

/**
 * True for a layer with a window, in families in which every n-th layer attends to all tokens: sliding_window_pattern.
 *
 * @param missing n for a config.json without it
 */
export function isBetween(config: Config, layer: number, missing: number): boolean {
  const key = 'sliding_window_pattern';
  if (config.isNull(key)) throw config.unsupported(key, ['a positive integer']);
  return (layer + 1) % config.count(key, missing) !== 0;
}

/** A window in all layers or in none, whatever layer_types says: a file in which it says something else is refused. */
export function sameWindows(config: Config, layers: number, window: Window): Window[] {
  const type = window === undefined ? KINDS[0] : SLIDING;
  config.require('layer_types', new Array<string>(layers).fill(type));
  return new Array<Window>(layers).fill(window);
}

/**
 * The number of experts, also under its other name (attribute_map in transformers), and how many of them each token has.
 *
 * @param count the default for all experts
 * @param chosen for those of each token
 * @throws AuroraError 'model' if a token would have more than there are
 */
export function expertSize(config: Config, count: number, chosen: number): { experts: number; each: number } {
  const experts = config.renamed({ num_experts: 'num_local_experts' }).count('num_local_experts', count);
  const each = config.count('num_experts_per_tok', chosen);
  if (each <= experts) return { experts, each };
  throw new AuroraError(
    'model',
    `${config.path}: num_experts_per_tok is ${each}, but there are ${experts} experts.`,
    'Download the config.json of this model again.',
  );
}

const SLIDING = 'sliding_attention';
const KINDS = ['full_attention', SLIDING];
