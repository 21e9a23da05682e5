import { AuroraError } from '../../base/errors';
import type { Config } from '../folder/config';

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

const SLIDING = 'sliding_attention';
const KINDS = ['full_attention', SLIDING];
