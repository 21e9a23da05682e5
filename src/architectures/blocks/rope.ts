import { AuroraError } from '../../base/errors';
import { realPower } from '../../base/power';
import { DType } from '../../graph/dtype';
import type { Config } from '../folder/config';
import { type Network, SCALED_AFTER } from './network';

/** Rotary embeddings, as config.json asks for them. */
export interface Rope {
  /** rope_theta. */
  base: number;
  /** The kind of scaling, by its name in transformers: default, linear, llama3 … */
  type: string;
  /** The settings of the scaling. */
  settings?: Config;
  /** The length that the model was trained with before it was extended, in tokens. */
  original: number;
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
  /**
   * The part of a head that is turned in a config.json without partial_rotary_factor, if the family reads that. In
   * others all of a head is turned, and the setting has no effect.
   */
  part?: number;
  /** The kinds of scaling that the family has, by their names in its files, if it has not all of them. */
  kinds?: ReadonlyMap<string, string>;
  /** True if the settings are for one kind of layer: transformers then reads none outside of them. */
  ofKind?: boolean;
}

/** The largest width of a head: one number for two features is held in memory, before any weight is looked at. */
const MOST_WIDTH = 65_536;

const DEFAULT = 'default';
const PROPORTIONAL = 'proportional';
const PART = 'partial_rotary_factor';

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

/** The defaults for layers of two kinds. */
interface KindDefaults extends Pick<RopeDefaults, 'width' | 'positions'> {
  /** For settings without rope_theta. */
  theta: { full: number; sliding: number };
}

/**
 * The rotations of layers without a window and of those with one, in families that have settings for each
 * (Gemma3TextConfig and Olmo3Config in transformers): in `rope_parameters` by kind, or in `rope_scaling`, which is then
 * for layers without a window.
 *
 * @throws AuroraError 'model' for settings that are not by kind, and for those that are in both
 */
export function ropesOfKinds(
  config: Config,
  { width, positions, theta }: KindDefaults,
): { full: Rope; sliding: Rope } {
  const kinds = config.section('rope_parameters');
  const old = config.filled('rope_scaling');
  // No published model has settings for all layers alike. Where there are layers of one kind only, transformers 5 writes
  // a type that means nothing.
  kinds?.require('rope_type', null, DEFAULT);
  kinds?.require('rope_theta', null);
  // The library would mix both.
  if (kinds?.has('full_attention')) config.require('rope_scaling', null, {});
  // Version 4 of the library reads the old name, version 5 does not.
  if (!old?.has('rope_type')) old?.require('type', DEFAULT);
  const made = (settings: Config | undefined, base: number) => {
    // transformers 5 looks for it outside of the kind.
    settings?.require('truncate', true);
    return ropeFrom(config, settings, { width, positions, theta: base, ofKind: true });
  };
  return {
    full: made(kinds?.section('full_attention') ?? old, theta.full),
    sliding: made(kinds?.section('sliding_attention'), theta.sliding),
  };
}

/** The settings of rotary embeddings in another place, and the base for settings without one. */
export function ropeFrom(
  config: Config,
  scaling: Config | undefined,
  defaults: RopeDefaults & { theta: number },
): Rope {
  const { width, positions, theta, part, kinds } = defaults;
  if (width > MOST_WIDTH)
    throw new AuroraError(
      'model',
      `${config.path}: heads of ${width} features are larger than those of any model.`,
      'Download the config.json of this model again.',
    );
  const base = scaling?.number('rope_theta', theta) ?? theta;
  const type = typeOf(scaling, kinds);
  const share = partOf(config, scaling, type, part);
  // Proportional frequencies are for all of a head, and 0 from the part on.
  const turned = type === PROPORTIONAL ? width : Math.trunc(width * share);
  if (turned % 2 !== 0 || turned === 0)
    throw new AuroraError(
      'model',
      `${config.path}: ${PART} is ${share}, which turns ${turned} of the ${width} features of a head, not an even number.`,
      'Download the config.json of this model again.',
    );
  const plain = Array.from({ length: turned / 2 }, (_, i) => realPower(base, (-2 * i) / turned));
  const most = config.count('max_position_embeddings', positions);
  const unscaled = { base, type: DEFAULT, original: most, frequencies: plain, factor: 1 };
  if (!scaling) return unscaled;
  const original = originalOf(config, scaling, defaults, most);
  return {
    ...unscaled,
    type,
    settings: scaling,
    original,
    ...SCALINGS.get(type)!(scaling, plain, { most, original, base, part: share }),
  };
}

/** The name of a scaling in transformers 5: files have it as rope_type, older ones as type. */
function typeOf(scaling: Config | undefined, kinds: RopeDefaults['kinds']): string {
  if (!scaling) return DEFAULT;
  const key = scaling.has('rope_type') ? 'rope_type' : 'type';
  const named = scaling.text(key, DEFAULT);
  const type = kinds ? (kinds.get(named) ?? '') : named;
  if (SCALINGS.has(type)) return type;
  throw scaling.unsupported(key, [...(kinds ?? SCALINGS).keys()]);
}

/** The length that the model was trained with first. Families with such a setting outside read only that. */
function originalOf(
  config: Config,
  scaling: Config,
  { original: missing, ofKind }: RopeDefaults,
  most: number,
): number {
  const key = 'original_max_position_embeddings';
  if (ofKind) return scaling.count(key, most);
  if (missing === undefined) return config.count(key, scaling.count(key, most));
  const own = config.count(key, missing);
  scaling.require(key, own);
  return own;
}

/** The part of a head that is turned. */
function partOf(
  config: Config,
  scaling: Config | undefined,
  type: string,
  missing: number | undefined,
): number {
  const [own, outer] = [scaling, config].map((each) => (each?.has(PART) ? each.share(PART) : undefined));
  if (missing === undefined) {
    if (type === DEFAULT) return 1;
    if (type === PROPORTIONAL) return outer ?? own ?? 1;
    // transformers would have too few angles for a head.
    for (const each of [config, scaling]) each?.require(PART, 1);
    return 1;
  }
  if (type === DEFAULT) return own ?? outer ?? missing;
  if (type === PROPORTIONAL) throw scaling!.unsupported('rope_type', [DEFAULT]);
  // With a scaling, transformers prefers the setting outside of it, and even a family's default.
  const part = outer ?? (missing === 1 ? own : missing) ?? missing;
  scaling?.require(PART, part);
  return part;
}

/** The settings of a model that scalings use. */
export interface Pretrained {
  /** max_position_embeddings. */
  most: number;
  /** The length that it was trained with before it was extended. */
  original: number;
  /** rope_theta. */
  base: number;
  /** partial_rotary_factor. */
  part: number;
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

/** Features from a part of each head on are not turned, and the others are spread as if all were. */
const proportional: Scaling = (settings, plain, { part }) => {
  const factor = settings.number('factor', 1);
  const count = Math.floor(part * plain.length);
  return { frequencies: plain.map((f, i) => (i < count ? f / factor : 0)) };
};

/** Scalings by their names in transformers (modeling_rope_utils.py). */
const SCALINGS: ReadonlyMap<string, Scaling> = new Map<string, Scaling>([
  [DEFAULT, (_, plain) => ({ frequencies: plain })],
  ['linear', linear],
  ['dynamic', dynamic],
  ['yarn', yarn],
  ['longrope', longrope],
  ['llama3', llama3],
  [PROPORTIONAL, proportional],
]);

const AT = 'rotary_emb';

/** Turns a tensor (batch, heads, sequence, width) by the places of its tokens. */
export type Rotate = (x: string) => string;

/**
 * Rotary embedding: turns features i and i + n of each head by place · frequency i, where n is the number of frequencies.
 *
 * @param places int64 (sequence), with a cache (batch, sequence)
 * @param width size of a head; features from 2n on stay
 * @param interleaved features 2i and 2i + 1 are turned instead (rotate_every_two in transformers, as in GPT-J)
 */
export function rotary(net: Network, places: string, rope: Rope, width: number, interleaved = false): Rotate {
  const count = rope.frequencies.length;
  const real = net.op(AT, 'Cast', [places], { to: DType.float });
  const angles = net.op(AT, 'Mul', [
    net.op(AT, 'Unsqueeze', [real, net.g.ints(net.cached ? [1, 3] : [1])]),
    frequenciesAt(net, real, rope),
  ]);
  const scaled = (v: string) => (rope.factor === 1 ? v : net.op(AT, 'Mul', [v, net.float(rope.factor)]));
  const [cos, sin] = [scaled(net.op(AT, 'Cos', [angles])), scaled(net.op(AT, 'Sin', [angles]))];
  return rotation(net, { cos, sin, count }, width, interleaved);
}

/** The cosines and sines of the angles by which `count` pairs of features are turned, (sequence, count). */
export interface Angles {
  cos: string;
  sin: string;
  count: number;
}

/** The rotation by known angles, which come from a place's frequencies or from a table. */
export function rotation(
  net: Network,
  { cos, sin, count }: Angles,
  width: number,
  interleaved: boolean,
): Rotate {
  const times = (v: string, by: string) => net.op(AT, 'Mul', [v, by]);
  const turn = (a: string, b: string): [string, string] => [
    net.op(AT, 'Sub', [times(a, cos), times(b, sin)]),
    net.op(AT, 'Add', [times(b, cos), times(a, sin)]),
  ];
  const rest = width - 2 * count;
  if (!interleaved)
    return (x) => {
      const sizes = net.g.ints([count, count, ...(rest > 0 ? [rest] : [])]);
      const [a, b, ...stay] = net.ops(AT, 'Split', [x, sizes], { axis: -1 }, rest > 0 ? 3 : 2);
      return net.op(AT, 'Concat', [...turn(a, b), ...stay], { axis: -1 });
    };
  return (x) => {
    const [turned, ...stay] =
      rest > 0 ? net.ops(AT, 'Split', [x, net.g.ints([2 * count, rest])], { axis: -1 }, 2) : [x];
    const pairs = net.op(AT, 'Reshape', [turned, net.g.ints([0, 0, 0, count, 2])]);
    const last = net.g.ints([-1]);
    const [a, b] = net
      .ops(AT, 'Split', [pairs, net.g.ints([1, 1])], { axis: -1 }, 2)
      .map((each) => net.op(AT, 'Squeeze', [each, last]));
    const both = turn(a, b).map((each) => net.op(AT, 'Unsqueeze', [each, last]));
    const flat = net.op(AT, 'Reshape', [
      net.op(AT, 'Concat', both, { axis: -1 }),
      net.g.ints([0, 0, 0, 2 * count]),
    ]);
    return stay.length ? net.op(AT, 'Concat', [flat, ...stay], { axis: -1 }) : flat;
  };
}

/** The frequencies (count) for a text whose last place is known when the graph runs. */
function frequenciesAt(net: Network, places: string, { frequencies, longer }: Rope): string {
  const all = (values: readonly number[]) => net.g.constant(DType.float, [values.length], [...values]);
  if (!longer) return all(frequencies);
  net.metadata.set(SCALED_AFTER, String(longer.than));
  const last = net.op(AT, 'ReduceMax', [places], { keepdims: 0 });
  const length = net.op(AT, 'Add', [last, net.float(1)]);
  if (longer.frequencies) {
    const isLonger = net.op(AT, 'Greater', [length, net.float(longer.than)]);
    return net.op(AT, 'Where', [isLonger, all(longer.frequencies), all(frequencies)]);
  }
  // The base times (factor · length / positions − (factor − 1)) ^ (size / (size − 2)), to the power of −2i / size.
  const { than, stretch = 1 } = longer;
  const beyond = net.op(AT, 'Relu', [net.op(AT, 'Sub', [length, net.float(than)])]);
  const grown = net.op(AT, 'Add', [net.op(AT, 'Mul', [beyond, net.float(stretch / than)]), net.float(1)]);
  const powers = frequencies.map((_, i) => (i === 0 ? 0 : -i / (frequencies.length - 1)));
  return net.op(AT, 'Mul', [all(frequencies), net.op(AT, 'Pow', [grown, all(powers)])]);
}
