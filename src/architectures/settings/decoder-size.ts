import { AuroraError } from '../../base/errors';
import type { DecoderSize } from '../blocks/decoder';
import type { Config } from '../folder/config';
import { headWidth } from './encoder-size';

/** Sizes that a config.json without them has in transformers. */
export interface DecoderDefaults extends Omit<DecoderSize, 'keyValueHeads' | 'width'> {
  /** The number of key and value heads; as many as heads by default. */
  keyValueHeads?: number;
  /** hidden / heads by default. */
  width?: number;
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
    epsilon: config.number('rms_norm_eps', defaults.epsilon),
  };
}
