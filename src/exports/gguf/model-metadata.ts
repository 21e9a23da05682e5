import { realPower } from '../../base/power';
import type { DecoderFacts } from '../../architectures/blocks/decoder';
import type { Rope } from '../../architectures/blocks/rope';
import type { BaseModel } from '../../peft/base-model';
import type { TensorType } from './encodings';
import type { GgufFamily } from './families';
import { float32, type MetadataValue, string, uint32 } from './gguf-file';

type Entries = [key: string, value: MetadataValue][];

/** Numbers of general.file_type (llama_ftype). */
const FILE_TYPES: Record<TensorType, number> = { F32: 0, F16: 1, Q8_0: 7 };

/** The version of the layout of quantized blocks (GGML_QNT_VERSION). */
const QUANTIZATION_VERSION = 2;

/**
 * The name of a model, for llama.cpp that of Phi-3 only if it has Phi-3's tokens: it looks for them in a file of that name,
 * and does not load one without them (llama-vocab.cpp).
 */
export const nameFor = (name: string, tokens: readonly string[]): string =>
  /phi-?3/i.test(name) && !PHI3_TOKENS.every((token) => tokens.includes(token)) ? 'model' : name;

const PHI3_TOKENS = ['<unk>', '<s>', '</s>', '<|endoftext|>'];

/**
 * The entries that files of models and of adapters have.
 *
 * @param type of the large tensors
 */
export const generalMetadata = (
  { architecture }: Pick<GgufFamily, 'architecture'>,
  kind: 'model' | 'adapter',
  { name, license: { id } }: BaseModel,
  type: TensorType,
): Entries => [
  ['general.architecture', string(architecture)],
  ['general.type', string(kind)],
  ['general.name', string(name)],
  ['general.base_model.count', uint32(1)],
  ['general.base_model.0.name', string(name)],
  ...(id === undefined ? [] : ([['general.license', string(id)]] satisfies Entries)),
  ['general.file_type', uint32(FILE_TYPES[type])],
  ['general.quantization_version', uint32(QUANTIZATION_VERSION)],
];

/**
 * The settings of a model under the keys that llama.cpp reads (set_gguf_parameters of the classes in
 * convert_hf_to_gguf.py).
 *
 */
export function settingsMetadata(family: GgufFamily, facts: DecoderFacts): Entries {
  const { architecture } = family;
  const { hidden, inner, layers, heads, keyValueHeads, width, vocabulary, rope } = facts;
  const own: Entries = [
    ['vocab_size', uint32(vocabulary)],
    ['context_length', uint32(contextLength(family, facts))],
    ['embedding_length', uint32(hidden)],
    ['block_count', uint32(layers)],
    ['feed_forward_length', uint32(inner)],
    ['attention.head_count', uint32(heads)],
    ['attention.head_count_kv', uint32(keyValueHeads)],
    ['attention.key_length', uint32(width)],
    ['attention.value_length', uint32(width)],
    // Only GPT-2's norms are not RMSNorm.
    [rope ? 'attention.layer_norm_rms_epsilon' : 'attention.layer_norm_epsilon', float32(facts.epsilon)],
    ...(rope ? ropeEntries(rope) : []),
    ...windowEntries(family, facts),
    ...capEntries(family, facts),
  ];
  return own.map(([key, value]) => [`${architecture}.${key}`, value]);
}

/** The tokens for which the file's model is the trained one: where llama.cpp leaves out windows, those of the smallest. */
function contextLength({ keepsWindows }: GgufFamily, { positions, windows }: DecoderFacts): number {
  if (keepsWindows) return positions;
  return Math.min(positions, ...windows.map((window) => window ?? positions));
}

function ropeEntries({ base, type, frequencies, settings, original, factor }: Rope): Entries {
  const scaling = (...more: Entries): Entries => [['rope.scaling.type', string(type)], ...more];
  const common: Entries = [
    ['rope.dimension_count', uint32(2 * frequencies.length)],
    ['rope.freq_base', float32(base)],
  ];
  switch (type) {
    case 'linear':
      return [...common, ...scaling(['rope.scaling.factor', float32(settings!.number('factor'))])];
    case 'yarn':
      return [
        ...common,
        ...scaling(
          ['rope.scaling.factor', float32(settings!.number('factor'))],
          ['rope.scaling.original_context_length', uint32(original)],
          ['rope.scaling.yarn_beta_fast', float32(settings!.number('beta_fast', 32))],
          ['rope.scaling.yarn_beta_slow', float32(settings!.number('beta_slow', 1))],
        ),
      ];
    case 'longrope':
      return [
        ...common,
        ...scaling(
          ['rope.scaling.original_context_length', uint32(original)],
          ['rope.scaling.attn_factor', float32(factor)],
        ),
      ];
    default:
      return common;
  }
}

function windowEntries({ keepsWindows }: GgufFamily, { windows, slidingRope }: DecoderFacts): Entries {
  const window = windows.find((each) => each !== undefined);
  if (!keepsWindows || window === undefined) return [];
  return [
    ['attention.sliding_window', uint32(window)],
    ...(slidingRope ? ([['rope.freq_base_swa', float32(slidingRope.base)]] satisfies Entries) : []),
  ];
}

/** transformers' Gemma2Config. */
const CAPS = { attn_logit_softcapping: 50, final_logit_softcapping: 30 };

function capEntries({ architecture }: GgufFamily, { config }: DecoderFacts): Entries {
  if (architecture !== 'gemma2') return [];
  return Object.entries(CAPS).map(([key, missing]) => [key, float32(config.number(key, missing))]);
}

/** Small tensors that are computed from the settings, by name: what divides each frequency of rotary embeddings. */
export function ropeFactors({ rope }: DecoderFacts): [name: string, factors: number[]][] {
  if (!rope) return [];
  const { type, base, frequencies, settings } = rope;
  const count = frequencies.length;
  if (type === 'llama3')
    return [['rope_freqs.weight', frequencies.map((f, i) => realPower(base, -i / count) / f)]];
  if (type === 'longrope')
    return (['long', 'short'] as const).map((which) => [
      `rope_factors_${which}.weight`,
      settings!.numbers(`${which}_factor`, count),
    ]);
  return [];
}
