import { editDistance } from '../../base/nearest';
import { MODEL_NAMES, type ModelKind } from '../families/model-names';
import type { Config } from '../folder/config';
import type { AnyKind } from './kind-of-model';

/** The most families that a message names. */
const MOST = 3;

/** The kinds among whose families those near a model of some kind are. */
const KINDS: Readonly<Record<AnyKind, readonly ModelKind[]>> = {
  encoder: ['encoder'],
  decoder: ['decoder', 'experts'],
  experts: ['experts', 'decoder'],
  image: ['image'],
  diffusion: ['diffusion'],
  'encoder-decoder': ['encoder'],
  several: ['decoder', 'experts', 'image', 'encoder'],
  audio: [],
};

/** Widespread families, with the settings that most models like them have. */
const TYPICAL: readonly [type: string, settings: readonly string[]][] = [
  ['mixtral', ['num_experts_per_tok', 'rms_norm_eps', 'num_key_value_heads']],
  ['llama', ['num_key_value_heads', 'rms_norm_eps', 'rope_theta']],
  ['gpt_neox', ['use_parallel_residual', 'rotary_pct']],
  ['gpt2', ['n_embd', 'n_head', 'n_layer']],
  ['bert', ['type_vocab_size', 'layer_norm_eps', 'intermediate_size']],
  ['t5', ['d_model', 'decoder_start_token_id', 'is_encoder_decoder']],
  ['vit', ['patch_size', 'image_size', 'num_channels']],
];
/** The part of them that a model must have to be near. */
const LIKE = 0.6;

/**
 * The families nearest to a model that no family writes, the nearest first. Of the same kind of model: the family of its text
 * model, those whose name differs only in a version, then those with similar names; where there are none, the widespread one
 * whose settings it has, if it has most of them.
 *
 * @param type its `model_type`
 * @param kind undefined where nothing shows it: then only names count
 */
export function nearestFamilies(type: string, kind: AnyKind | undefined, config: Config): string[] {
  const kinds = kind ? KINDS[kind] : (Object.keys(MODEL_NAMES) as ModelKind[]);
  const types = kinds.flatMap((k) => Object.keys(MODEL_NAMES[k]));
  const text = kind === 'several' ? textType(config) : undefined;
  if (text !== undefined && types.includes(text)) return [text];
  const named = types
    .map((candidate) => ({ candidate, distance: nameDistance(type, candidate) }))
    .filter(({ distance }) => distance < 1)
    .sort((a, b) => a.distance - b.distance)
    .map(({ candidate }) => candidate);
  if (named.length > 0 || !kind) return named.slice(0, MOST);
  const typical = TYPICAL.filter(([family]) => types.includes(family))
    .map(([family, settings]) => ({ family, share: share(settings, config) }))
    .filter(({ share }) => share > LIKE)
    .sort((a, b) => b.share - a.share);
  return typical.slice(0, 1).map(({ family }) => family);
}

/** The `model_type` of the text model in one of several models. */
function textType(config: Config): string | undefined {
  const text = config.section('text_config');
  return text?.isText('model_type') ? text.text('model_type') : undefined;
}

const share = (settings: readonly string[], config: Config): number =>
  settings.filter((setting) => config.has(setting)).length / settings.length;

/** The name without what tells versions and parts apart: `qwen3_5_moe_text` is `qwen`. */
const stem = (type: string): string =>
  type
    .toLowerCase()
    .replace(/[-_. ]?v?\d.*$/, '')
    .replace(/([-_]?(text|vision|model|moe))+$/, '');

/** From 0 for names that differ only in a version to 1 for names that are not alike. */
function nameDistance(a: string, b: string): number {
  const [one, two] = [stem(a), stem(b)];
  if (one === '' || two === '') return 1;
  const whole = editDistance(a.toLowerCase(), b.toLowerCase()) / Math.max(a.length, b.length);
  if (one === two) return whole / 4;
  const [short, long] = one.length < two.length ? [one, two] : [two, one];
  if (short.length >= 4 && (long.startsWith(short) || long.endsWith(short))) return 0.25 + whole / 4;
  return editDistance(one, two) <= Math.max(1, long.length / 5) ? 0.5 + whole / 4 : 1;
}
