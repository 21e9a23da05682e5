import type { ModelKind } from '../families/model-names';
import type { Config } from '../folder/config';
import { typeKey } from '../folder/type';

/** A kind of which there are families, or one of which there are none. */
export type AnyKind = ModelKind | 'encoder-decoder' | 'several' | 'audio';

/** Kinds by the end of the class in `architectures`; the classes of labels also have decoders. */
const CLASSES: readonly [end: string, kind: AnyKind][] = [
  ['ForCausalLM', 'decoder'],
  ['LMHeadModel', 'decoder'],
  ['ForMaskedLM', 'encoder'],
  ['ForImageClassification', 'image'],
  ['ForMaskedImageModeling', 'image'],
  ['VisionModel', 'image'],
  ['ForCTC', 'audio'],
  ['ForSpeechSeq2Seq', 'audio'],
  ['ForAudioClassification', 'audio'],
];

const AUDIO = ['num_mel_bins', 'feat_extract_norm', 'sampling_rate'];
const EXPERTS = ['num_local_experts', 'num_experts', 'n_routed_experts', 'moe_num_experts'];
const IMAGES = ['image_size', 'patch_size', 'num_channels'];
const DECODERS = ['num_key_value_heads', 'rope_theta', 'rope_parameters', 'n_head', 'n_heads', 'state_size'];

/** The kind of a model that no family writes, by its class and settings; undefined if neither tells. */
export function kindOfModel(config: Config): AnyKind | undefined {
  const has = (keys: readonly string[]) => keys.some((key) => config.has(key));
  if (typeKey(config) !== 'model_type') return 'diffusion';
  const ofText = () => (has(EXPERTS) ? 'experts' : 'decoder');
  if (has(['vision_config', 'audio_config'])) return 'several';
  const named = CLASSES.find(([end]) => config.isFor(end))?.[1];
  if (named) return named === 'decoder' ? ofText() : named;
  if (has(AUDIO)) return 'audio';
  if (config.isTrue('is_encoder_decoder') || config.isFor('ForConditionalGeneration'))
    return 'encoder-decoder';
  if (has(IMAGES) && !has(['vocab_size'])) return 'image';
  if (!has(['vocab_size'])) return undefined;
  return has(['type_vocab_size']) || !has([...EXPERTS, ...DECODERS]) ? 'encoder' : ofText();
}
