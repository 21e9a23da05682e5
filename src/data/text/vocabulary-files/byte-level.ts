import type { Json } from '../json-file';
import { classAndSeparator, template } from './template';
import type { ClassSource, TokenizerClass } from './tokenizer-class';

const byteLevel = (settings: Json): Json => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: true,
  ...settings,
});

/** GPT-2's words, and BPE over their bytes (GPT2Converter and RobertaConverter in convert_slow_tokenizer.py of transformers). */
const bytePairs = ({ vocabulary, flag }: ClassSource): { model: Json } & Json => ({
  normalizer: null,
  pre_tokenizer: byteLevel({ add_prefix_space: flag('add_prefix_space') ?? false }),
  decoder: byteLevel({ add_prefix_space: true }),
  model: {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: '',
    end_of_word_suffix: '',
    fuse_unk: false,
    byte_fallback: false,
    vocab: vocabulary.ids,
    merges: vocabulary.merges,
  },
});

/** Adds no tokens. */
const NOTHING = byteLevel({ add_prefix_space: true, trim_offsets: false });

const only = { split_special_tokens: false };
const END = '<|endoftext|>';

/**
 * GPT-2's, also OPT's, whose files ask for a token before each text (add_bos_token). Before the second text of a pair, it
 * stands again, as in transformers 5 and in GPT2Tokenizer of 4; GPT2TokenizerFast of 4 omitted it.
 */
export const gpt2: TokenizerClass = {
  file: 'vocab.json',
  tokens: { bos: END, eos: END, unk: END },
  maskTakesSpace: false,
  // Version 4 ignores it.
  only: { ...only, add_eos_token: false },
  parts(source) {
    const parts = bytePairs(source);
    if (source.flag('add_bos_token') !== true) return { ...parts, post_processor: NOTHING };
    const bos = source.special('bos');
    const single = [
      [bos, 0],
      ['A', 0],
    ] as const;
    return { ...parts, post_processor: template(single, [...single, [bos, 1], ['B', 1]]) };
  },
};

/** RoBERTa's, also BART's. */
export const roberta: TokenizerClass = {
  file: 'vocab.json',
  tokens: {
    bos: '<s>',
    eos: '</s>',
    unk: '<unk>',
    sep: '</s>',
    pad: '<pad>',
    cls: '<s>',
    mask: '<mask>',
  },
  maskTakesSpace: true,
  only,
  parts: (source) => ({
    ...bytePairs(source),
    post_processor: {
      type: 'RobertaProcessing',
      sep: source.special('sep'),
      cls: source.special('cls'),
      trim_offsets: true,
      add_prefix_space: source.flag('add_prefix_space') ?? false,
    },
  }),
};

/**
 * The first DeBERTa's. Its pairs are as in transformers 4 and in the authors' own code; version 5 writes [SEP] twice between
 * two texts.
 */
export const deberta: TokenizerClass = {
  file: 'vocab.json',
  tokens: {
    bos: '[CLS]',
    eos: '[SEP]',
    unk: '[UNK]',
    sep: '[SEP]',
    pad: '[PAD]',
    cls: '[CLS]',
    mask: '[MASK]',
  },
  maskTakesSpace: true,
  only,
  parts: (source) => ({ ...bytePairs(source), post_processor: classAndSeparator(source) }),
};

/** The pattern by which Qwen 2 divides words: single digits, and line breaks with the signs before them. */
const QWEN2 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

export const qwen2: TokenizerClass = {
  file: 'vocab.json',
  tokens: { eos: END, unk: END, pad: END },
  maskTakesSpace: false,
  only,
  parts: (source) => ({
    ...bytePairs(source),
    normalizer: { type: 'NFC' },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: QWEN2 }, behavior: 'Isolated', invert: false },
        byteLevel({ add_prefix_space: source.flag('add_prefix_space') ?? false, use_regex: false }),
      ],
    },
    post_processor: NOTHING,
  }),
};

/** The pattern by which CLIP divides words further: contractions, letters, single digits, and other signs together. */
const CLIP = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

/** The tokenizer of the pipelines of Stable Diffusion, whose words end in a mark. */
export const clip: TokenizerClass = {
  file: 'vocab.json',
  // The end of a text fills it up.
  tokens: { bos: '<|startoftext|>', eos: END, unk: END, pad: END },
  maskTakesSpace: false,
  only,
  parts: (source) => ({
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFC' },
        { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
        { type: 'Lowercase' },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: CLIP }, behavior: 'Removed', invert: true },
        byteLevel({}),
      ],
    },
    post_processor: {
      type: 'RobertaProcessing',
      sep: source.special('eos'),
      cls: source.special('bos'),
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: {
      type: 'Sequence',
      decoders: [
        byteLevel({ add_prefix_space: true }),
        { type: 'Replace', pattern: { String: '</w>' }, content: ' ' },
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: source.special('unk')[0],
      continuing_subword_prefix: '',
      end_of_word_suffix: '</w>',
      fuse_unk: false,
      byte_fallback: false,
      vocab: source.vocabulary.ids,
      merges: source.vocabulary.merges,
    },
  }),
};
