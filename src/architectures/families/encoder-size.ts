import { AuroraError } from '../../base/errors';
import type { Config } from '../folder/config';

export interface EncoderSize {
  hidden: number;
  /** Width of the feed-forward part. */
  inner: number;
  layers: number;
  heads: number;
  /** Size of a head. */
  width: number;
  epsilon: number;
}

/** The sizes of BERT, ViT and their relatives, which share their names and defaults (those of the Base models). */
export function encoderSize(config: Config): EncoderSize {
  const hidden = config.count('hidden_size', 768);
  const heads = config.count('num_attention_heads', 12);
  return {
    hidden,
    inner: config.count('intermediate_size', 3072),
    layers: config.count('num_hidden_layers', 12),
    heads,
    width: headWidth(config, hidden, heads),
    epsilon: config.number('layer_norm_eps', 1e-12),
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
