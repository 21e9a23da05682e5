import { AuroraError } from '../../base/errors';
import type { Config } from '../folder/config';

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
