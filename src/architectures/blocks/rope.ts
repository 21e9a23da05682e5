import { AuroraError } from '../../base/errors';
import type { Config } from '../folder/config';
import { SCALINGS } from './rope-scaling';

/** Rotary embeddings, as config.json asks for them. */
export interface Rope {
  /** A frequency for each pair of features that is turned, from the first on; features after them are not turned. */
  frequencies: readonly number[];
  /** Cosines and sines are multiplied by it. */
  factor: number;
  /** The rotations of longer texts, if they differ. */
  longer?: LongerTexts;
}

/** The rotations of texts with more than so many tokens, padding included. */
export interface LongerTexts {
  than: number;
  /** Their frequencies, if those do not depend on how long the text is. */
  frequencies?: readonly number[];
  /** The factor by which a text of `than` more tokens stretches the base, in dynamic scaling. */
  stretch?: number;
}

/** A family's settings for rotary embeddings. */
export interface RopeDefaults {
  /** Size of a head. */
  width: number;
  /** For a config.json without max_position_embeddings. */
  positions: number;
  /** For a config.json without original_max_position_embeddings, if the family has it outside of the RoPE settings. */
  original?: number;
  theta?: number;
  /** The part of a head that is turned, if the family reads partial_rotary_factor; otherwise all of it. */
  part?: number;
  /** The kinds of scaling that the family has, by their names in its files, if it has not all of them. */
  kinds?: ReadonlyMap<string, string>;
}

/** The largest width of a head: one number for two features is held in memory, before any weight is looked at. */
const MOST_WIDTH = 65_536;

/** Keys of settings that are given for each kind of layer. */
const KINDS = ['full_attention', 'sliding_attention'];

/**
 * The settings of rotary embeddings in a config.json, with the scaling that it asks for (transformers'
 * modeling_rope_utils.py): `rope_scaling`, in newer files `rope_parameters`, which also has `rope_theta`.
 *
 * @throws AuroraError 'model' for a scaling that is not implemented
 */
export function ropeOf(config: Config, defaults: RopeDefaults): Rope {
  const scaling = config.filled('rope_scaling') ?? config.filled('rope_parameters');
  for (const kind of KINDS) scaling?.require(kind, null);
  const theta = config.number('rope_theta', defaults.theta ?? 10000);
  return ropeFrom(config, scaling, { ...defaults, theta });
}

/** The settings of rotary embeddings in another place, and the base for settings without one. */
export function ropeFrom(
  config: Config,
  scaling: Config | undefined,
  { width, positions, original: missing, theta, part, kinds }: RopeDefaults & { theta: number },
): Rope {
  if (width > MOST_WIDTH)
    throw new AuroraError(
      'model',
      `${config.path}: heads of ${width} features are larger than those of any model.`,
      'Download the config.json of this model again.',
    );
  const base = scaling?.number('rope_theta', theta) ?? theta;
  const turned = Math.trunc(width * partOf(config, scaling, part));
  if (turned % 2 !== 0 || turned === 0) throw config.unsupported('partial_rotary_factor', ['an even part']);
  const plain = Array.from({ length: turned / 2 }, (_, i) => base ** ((-2 * i) / turned));
  if (!scaling) return { frequencies: plain, factor: 1 };
  const key = scaling.has('rope_type') ? 'rope_type' : 'type';
  const type = scaling.text(key, 'default');
  const scaled = SCALINGS.get(kinds ? (kinds.get(type) ?? '') : type);
  if (!scaled) throw scaling.unsupported(key, [...(kinds ?? SCALINGS).keys()]);
  const most = config.count('max_position_embeddings', positions);
  const original = originalOf(config, scaling, missing, most);
  return { factor: 1, ...scaled(scaling, plain, { most, original, base }) };
}

/** The length that the model was trained with first. Families with such a setting outside read only that. */
function originalOf(config: Config, scaling: Config, missing: number | undefined, most: number): number {
  const key = 'original_max_position_embeddings';
  if (missing === undefined) return config.count(key, scaling.count(key, most));
  const own = config.count(key, missing);
  scaling.require(key, own);
  return own;
}

/** The part of a head that is turned. */
function partOf(config: Config, scaling: Config | undefined, missing: number | undefined): number {
  const key = 'partial_rotary_factor';
  if (missing === undefined) {
    config.require(key, 1);
    scaling?.require(key, 1);
    return 1;
  }
  if (!scaling?.has(key)) return config.share(key, missing);
  const part = scaling.share(key);
  config.require(key, part);
  return part;
}
