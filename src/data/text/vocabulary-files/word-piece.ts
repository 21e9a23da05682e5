import type { Json } from '../json-file';
import { classAndSeparator } from './template';
import type { ClassSource, TokenizerClass } from './tokenizer-class';

/**
 * BERT's words and their pieces (BertConverter in convert_slow_tokenizer.py of transformers). Texts become lower case
 * unless a file says otherwise, and lose their accents with it.
 */
function wordPiece({ vocabulary, flag, special }: ClassSource): { model: Json } & Json {
  const [unk_token] = special('unk');
  return {
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: flag('tokenize_chinese_chars') ?? true,
      strip_accents: flag('strip_accents') ?? null,
      lowercase: flag('do_lower_case') ?? true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: vocabulary.ids,
    },
  };
}

/**
 * The two tokenizers of transformers 4 differ without the division into words, and version 5 ignores that setting. The prefix
 * is that of BertTokenizerFast, which nothing reads beside vocab.txt.
 */
const only = { do_basic_tokenize: true, wordpieces_prefix: '##', split_special_tokens: false };

export const bert: TokenizerClass = {
  file: 'vocab.txt',
  tokens: { unk: '[UNK]', sep: '[SEP]', pad: '[PAD]', cls: '[CLS]', mask: '[MASK]' },
  maskTakesSpace: false,
  only,
  parts: (source) => ({ ...wordPiece(source), post_processor: classAndSeparator(source) }),
};

export const mpnet: TokenizerClass = {
  file: 'vocab.txt',
  tokens: {
    bos: '<s>',
    eos: '</s>',
    unk: '[UNK]',
    sep: '</s>',
    pad: '<pad>',
    cls: '<s>',
    mask: '<mask>',
  },
  maskTakesSpace: true,
  only,
  parts: (source) => ({ ...wordPiece(source), post_processor: classAndSeparator(source, 2) }),
};
