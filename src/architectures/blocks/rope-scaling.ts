import type { Config } from '../folder/config';
import type { Rope } from './rope';

/** The settings of a model that scalings use. */
export interface Pretrained {
  /** max_position_embeddings. */
  most: number;
  /** The length that it was trained with before it was extended. */
  original: number;
  /** rope_theta. */
  base: number;
}

type Scaling = (
  settings: Config,
  plain: readonly number[],
  pretrained: Pretrained,
) => Partial<Rope> & Pick<Rope, 'frequencies'>;

/** All places are closer together. */
const linear: Scaling = (settings, plain) => {
  const factor = settings.number('factor');
  return { frequencies: plain.map((f) => f / factor) };
};

/** Texts that are longer than the model's positions have a larger base, which grows with their length. */
const dynamic: Scaling = (settings, plain, { most }) => ({
  frequencies: plain,
  longer: { than: most, stretch: settings.number('factor') },
});

/** Long wavelengths are stretched by the factor, short ones stay, those between are interpolated. */
const llama3: Scaling = (settings, plain, { original }) => {
  const factor = settings.number('factor');
  const low = settings.number('low_freq_factor');
  const high = settings.number('high_freq_factor');
  const frequencies = plain.map((f) => {
    const turns = (original * f) / (2 * Math.PI);
    if (turns > high) return f;
    if (turns < low) return f / factor;
    const smooth = (turns - low) / (high - low);
    return (1 - smooth) * (f / factor) + smooth * f;
  });
  return { frequencies };
};

/** Features that turn often within the original length stay, those that turn seldom are stretched (arXiv 2309.00071). */
const yarn: Scaling = (settings, plain, { most, original, base }) => {
  const factor = settings.number('factor', most / original);
  const fast = settings.number('beta_fast', 32);
  const slow = settings.number('beta_slow', 1);
  const size = 2 * plain.length;
  /** The feature, counted in pairs, that turns so often. */
  const turning = (turns: number) =>
    (size * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  const truncate = settings.flag('truncate', true);
  const first = Math.max(truncate ? Math.floor(turning(fast)) : turning(fast), 0);
  const end = Math.min(truncate ? Math.ceil(turning(slow)) : turning(slow), size - 1);
  const last = end === first ? first + 0.001 : end;
  const frequencies = plain.map((f, i) => {
    const stretched = Math.min(Math.max((i - first) / (last - first), 0), 1);
    return (f / factor) * stretched + f * (1 - stretched);
  });
  return { frequencies, factor: settings.number('attention_factor', yarnFactor(settings, factor)) };
};

/** mscale counts only beside mscale_all_dim, and 0 as if it were missing. */
function yarnFactor(settings: Config, factor: number): number {
  const scale = (by: number) => (factor <= 1 ? 1 : 0.1 * by * Math.log(factor) + 1);
  const [own, all] = ['mscale', 'mscale_all_dim'].map((key) => settings.fromZero(key, 0));
  return own && all ? scale(own) / scale(all) : scale(1);
}

/** Every frequency has its own factor, one for texts up to the original length and one for longer ones (Phi-3). */
const longrope: Scaling = (settings, plain, { most, original }) => {
  const factor = settings.number('factor', most / original);
  const scaled = (key: string) => {
    const factors = settings.numbers(key, plain.length);
    return plain.map((f, i) => f / factors[i]);
  };
  const attention = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
  return {
    frequencies: scaled('short_factor'),
    factor: settings.number('attention_factor', attention),
    longer: { than: original, frequencies: scaled('long_factor') },
  };
};

/** Scalings by their names in transformers (modeling_rope_utils.py). */
export const SCALINGS: ReadonlyMap<string, Scaling> = new Map<string, Scaling>([
  ['default', (_, plain) => ({ frequencies: plain })],
  ['linear', linear],
  ['dynamic', dynamic],
  ['yarn', yarn],
  ['longrope', longrope],
  ['llama3', llama3],
]);
