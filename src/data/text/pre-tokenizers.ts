import {
  BertPreTokenizer,
  ByteLevelPreTokenizer,
  SequencePreTokenizer,
  WhitespacePreTokenizer,
  WhitespaceSplitPreTokenizer,
  type PreTokenizer,
} from '@huggingface/tokenizers';

/** White space as Rust has it: with U+0085 and without U+FEFF, which JavaScript's \s has the other way round. */
const SPACE = '\\p{White_Space}';
/** \w of Rust's regular expressions; JavaScript's has ASCII only. */
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}';
/** The characters that BERT splits off: punctuation, and all of ASCII that is neither letter nor digit. */
const PUNCTUATION = '\\p{P}\\u0021-\\u002F\\u003A-\\u0040\\u005B-\\u0060\\u007B-\\u007E';

const BYTE_LEVEL = new RegExp(
  `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${SPACE}\\p{L}\\p{N}]+|${SPACE}+(?!\\P{White_Space})|${SPACE}+`,
  'gu',
);
const WORDS = new RegExp(`[${WORD}]+|[^${WORD}${SPACE}]+`, 'gu');
const APART = /\P{White_Space}+/gu;
const BERT = new RegExp(`[^${SPACE}${PUNCTUATION}]+|[${PUNCTUATION}]`, 'gu');

/** Makes pre-tokenizers of the library split at the characters at which those of tokenizers do. Changes them in place. */
export function correctPreTokenizers(tokenizer: PreTokenizer | null): void {
  const split = (pattern: RegExp) => (text: string) => text.match(pattern) ?? [];
  if (tokenizer instanceof SequencePreTokenizer) tokenizer.tokenizers.forEach(correctPreTokenizers);
  else if (tokenizer instanceof ByteLevelPreTokenizer) tokenizer.pattern = BYTE_LEVEL;
  else if (tokenizer instanceof WhitespacePreTokenizer) tokenizer.pre_tokenize_text = split(WORDS);
  else if (tokenizer instanceof WhitespaceSplitPreTokenizer) tokenizer.pre_tokenize_text = split(APART);
  else if (tokenizer instanceof BertPreTokenizer) tokenizer.pre_tokenize_text = split(BERT);
}
