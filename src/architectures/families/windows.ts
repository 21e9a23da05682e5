import { AuroraError } from '../../base/errors';
import type { Config } from '../folder/config';

/** How many tokens a layer attends to, the current one included; undefined for all up to it. */
export type Window = number | undefined;

/** The setting `sliding_window`, where null means none. */
export const slidingWindow = (config: Config, missing?: number): Window =>
  config.isNull('sliding_window') || (missing === undefined && !config.has('sliding_window'))
    ? undefined
    : config.count('sliding_window', missing);

/** Whether each layer has a window: as `layer_types` says, and by default as the family does. */
export function slidingLayers(
  config: Config,
  layers: number,
  byDefault: (layer: number) => boolean,
): boolean[] {
  const types = config.texts('layer_types');
  if (!types) return Array.from({ length: layers }, (_, i) => byDefault(i));
  if (types.length !== layers)
    throw new AuroraError(
      'model',
      `${config.path}: layer_types names ${types.length} layers, but num_hidden_layers is ${layers}.`,
      'Download the config.json of this model again.',
    );
  if (!types.every((type) => KINDS.includes(type))) throw config.unsupported('layer_types', KINDS);
  return types.map((type) => type === SLIDING);
}

/** The window of each layer. */
export function windows(
  config: Config,
  layers: number,
  window: Window,
  byDefault: (layer: number) => boolean,
): Window[] {
  const sliding = slidingLayers(config, layers, byDefault);
  // transformers cannot run such a model either.
  if (window === undefined && sliding.includes(true))
    throw config.unsupported('sliding_window', ['a number of tokens, since some layers slide']);
  return sliding.map((slides) => (slides ? window : undefined));
}

const SLIDING = 'sliding_attention';
const KINDS = ['full_attention', SLIDING];
