import {
  BertNormalizer,
  LowercaseNormalizer,
  PrecompiledNormalizer,
  SequenceNormalizer,
  StripNormalizer,
  type Normalizer,
} from '@huggingface/tokenizers';
import { CharsMap } from './charsmap';

/**
 * Makes normalizers of the library behave like those of tokenizers and SentencePiece. Changes them in place.
 *
 * @param normalizer as the library has made it from tokenizer.json
 * @throws Error if a `precompiled_charsmap` is none
 */
export function correctNormalizers(normalizer: Normalizer | null): void {
  if (normalizer instanceof SequenceNormalizer) normalizer.normalizers.forEach(correctNormalizers);
  else if (normalizer instanceof LowercaseNormalizer) normalizer.normalize = lowercase;
  else if (normalizer instanceof BertNormalizer) correctBert(normalizer);
  else if (normalizer instanceof PrecompiledNormalizer) correctPrecompiled(normalizer);
  else if (normalizer instanceof StripNormalizer) correctStrip(normalizer);
}

/** Rust's white space has U+0085 and no U+FEFF, JavaScript's the other way round. */
function correctStrip(normalizer: StripNormalizer): void {
  const { strip_left, strip_right } = normalizer.config;
  normalizer.normalize = (text) => {
    const rest = strip_left ? text.replace(/^\p{White_Space}+/u, '') : text;
    return strip_right ? rest.replace(/(?<!\p{White_Space})\p{White_Space}+$/u, '') : rest;
  };
}

/** Tokenizers lowercases each character for itself, so that a sigma at the end of a word is as any other. */
const lowercase = (text: string): string => text.replaceAll('Σ', 'σ').toLowerCase();

/** The library looks for them in 16-bit units, so that it finds none of the characters beyond (BERT, tokenization.py). */
const CHINESE =
  /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

function correctBert(normalizer: BertNormalizer): void {
  const { config } = normalizer;
  const strip_accents = config.strip_accents ?? config.lowercase;
  const rest = new BertNormalizer({
    ...config,
    handle_chinese_chars: false,
    lowercase: false,
    strip_accents,
  });
  normalizer.normalize = (text) => {
    const stripped = rest.normalize(text);
    const apart = config.handle_chinese_chars ? stripped.replace(CHINESE, ' $& ') : stripped;
    return config.lowercase ? lowercase(apart) : apart;
  };
}

/** The library has one rule for all models, near SentencePiece's nmt_nfkc. It stays where a file has no map. */
function correctPrecompiled(normalizer: PrecompiledNormalizer): void {
  const { precompiled_charsmap: charsmap } = normalizer.config as { precompiled_charsmap?: unknown };
  if (charsmap === null || charsmap === undefined) return;
  if (typeof charsmap !== 'string') throw new Error('its precompiled_charsmap is not a text');
  const map = CharsMap.parse(charsmap);
  normalizer.normalize = (text) => map.normalize(text);
}
