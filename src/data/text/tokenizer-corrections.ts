import {
  type AddedToken,
  BertNormalizer,
  BertPreTokenizer,
  ByteLevelPreTokenizer,
  DigitsPreTokenizer,
  LowercaseNormalizer,
  MetaspacePreTokenizer,
  type Normalizer,
  PrecompiledNormalizer,
  type PreTokenizer,
  PunctuationPreTokenizer,
  SequenceNormalizer,
  SequencePreTokenizer,
  SplitPreTokenizer,
  StripNormalizer,
  type Tokenizer as HuggingFaceTokenizer,
  WhitespacePreTokenizer,
  WhitespaceSplitPreTokenizer,
} from '@huggingface/tokenizers';
import { type SplitBehavior, splitWith } from './split-behavior';

/** The library's parts that find added tokens in a text, which its types hide. */
interface Parts {
  splitter_unnormalized: Splitter;
  splitter_normalized: Splitter;
  added_tokens_map: ReadonlyMap<string, AddedToken>;
}

interface Splitter {
  /** Added tokens and the texts between them. */
  split(text: string): string[];
}

/**
 * Makes added tokens strip the white space before them (`lstrip`) and after them (`rstrip`) that tokenizers' Rust does: with
 * U+0085 and without U+FEFF, which JavaScript's has the other way round. Changes the tokenizer in place.
 */
export function correctAddedTokens(tokenizer: HuggingFaceTokenizer): void {
  const parts = tokenizer as unknown as Parts;
  const [left, right] = [new Set<AddedToken>(), new Set<AddedToken>()];
  for (const token of parts.added_tokens_map.values()) {
    if (token.lstrip) left.add(token);
    if (token.rstrip) right.add(token);
    // The library would strip once more.
    token.lstrip = token.rstrip = false;
  }
  if (left.size + right.size === 0) return;
  for (const splitter of [parts.splitter_unnormalized, parts.splitter_normalized]) {
    const split = splitter.split.bind(splitter);
    splitter.split = (text) => {
      const sections = split(text);
      for (const [i, section] of sections.entries()) {
        const token = parts.added_tokens_map.get(section);
        if (!token) continue;
        if (i > 0 && left.has(token)) sections[i - 1] = trimEnd(sections[i - 1]!);
        if (i < sections.length - 1 && right.has(token)) sections[i + 1] = trimStart(sections[i + 1]!);
      }
      return sections;
    };
  }
}

const trimStart = (text: string): string => text.replace(/^\p{White_Space}+/u, '');

const trimEnd = (text: string): string => text.replace(/(?<!\p{White_Space})\p{White_Space}+$/u, '');

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
  if (typeof charsmap !== 'string') throw new Error('its precompiled_charsmap is not a string');
  const map = CharsMap.parse(charsmap);
  normalizer.normalize = (text) => map.normalize(text);
}

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

/** Rust's is_numeric; JavaScript's \d has ASCII only. */
const NUMERIC = /\p{N}/gu;
const ONE_PUNCTUATION = new RegExp(`[${PUNCTUATION}]`, 'gu');

/**
 * Makes pre-tokenizers of the library split where those of tokenizers do. Changes them in place.
 *
 * @param written the section of tokenizer.json of which the library has made it
 * @throws Error for a behavior that tokenizers does not have
 */
export function correctPreTokenizers(tokenizer: PreTokenizer | null, written: unknown): void {
  const split = (pattern: RegExp) => (text: string) => text.match(pattern) ?? [];
  if (tokenizer instanceof SequencePreTokenizer) {
    const { pretokenizers } = written as { pretokenizers: unknown[] };
    tokenizer.tokenizers.forEach((part, i) => correctPreTokenizers(part, pretokenizers[i]));
  } else if (tokenizer instanceof ByteLevelPreTokenizer) tokenizer.pattern = BYTE_LEVEL;
  else if (tokenizer instanceof WhitespacePreTokenizer) tokenizer.pre_tokenize_text = split(WORDS);
  else if (tokenizer instanceof WhitespaceSplitPreTokenizer) tokenizer.pre_tokenize_text = split(APART);
  else if (tokenizer instanceof BertPreTokenizer) tokenizer.pre_tokenize_text = split(BERT);
  else if (tokenizer instanceof DigitsPreTokenizer) {
    const behavior = tokenizer.config.individual_digits === true ? 'Isolated' : 'Contiguous';
    tokenizer.pre_tokenize_text = (text) => splitWith(text, NUMERIC, behavior);
  } else if (tokenizer instanceof PunctuationPreTokenizer) {
    const behavior = splitBehavior(tokenizer.config.behavior);
    tokenizer.pre_tokenize_text = (text) => splitWith(text, ONE_PUNCTUATION, behavior);
  } else if (tokenizer instanceof SplitPreTokenizer) correctSplit(tokenizer);
  else if (tokenizer instanceof MetaspacePreTokenizer)
    correctMetaspace(tokenizer, written as Record<string, unknown>);
}

const BEHAVIORS: readonly SplitBehavior[] = [
  'Removed',
  'Isolated',
  'MergedWithPrevious',
  'MergedWithNext',
  'Contiguous',
];

/** @throws Error for one that tokenizers does not have */
function splitBehavior(written: unknown = 'Isolated'): SplitBehavior {
  const known = BEHAVIORS.find((behavior) => behavior === written);
  if (known === undefined) throw new Error(`its behavior ${JSON.stringify(written)} is unknown`);
  return known;
}

/** The library keeps all sections of their own, or with `invert` only what is found, whatever the behavior is. */
function correctSplit(tokenizer: SplitPreTokenizer): void {
  const { pattern, config } = tokenizer;
  if (pattern === null) return;
  const behavior = splitBehavior(config.behavior);
  tokenizer.pre_tokenize_text = (text) => splitWith(text, pattern, behavior, config.invert === true);
}

/**
 * The library does not divide words at their marks, puts a mark that is only for a text's beginning before each of the first
 * sections, and does not know `add_prefix_space` of older files.
 */
function correctMetaspace(tokenizer: MetaspacePreTokenizer, written: Record<string, unknown>): void {
  const { replacement } = tokenizer;
  const scheme = written.add_prefix_space === false ? 'never' : tokenizer.prepend_scheme;
  const marks = new RegExp(escaped(replacement), 'gu');
  const words = (text: string, isFirst: boolean) => {
    const marked = text.replaceAll(' ', replacement);
    const prepends = scheme === 'always' || (scheme === 'first' && isFirst);
    const whole = prepends && !marked.startsWith(replacement) ? replacement + marked : marked;
    return written.split === false ? [whole] : splitWith(whole, marks, 'MergedWithNext');
  };
  tokenizer.pre_tokenize = (text, options) =>
    [text].flat().flatMap((section, i) => words(section, i === 0 && options?.section_index === 0));
}

const escaped = (text: string): string => text.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&');

/**
 * The compiled normalization rules of SentencePiece (normalizer.cc): four bytes with the size of a double-array trie of
 * UTF-8 keys (darts-clone), the trie, and the replacements, each ended by a zero byte.
 */
export class CharsMap {
  private constructor(
    private readonly units: Uint32Array,
    private readonly replacements: Uint8Array,
  ) {}

  /** @throws Error if the bytes are not such a map */
  static parse(base64: string): CharsMap {
    const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
    const view = new DataView(bytes.buffer);
    const size = bytes.length < 4 ? 0 : view.getUint32(0, true);
    if (size === 0 || size % 4 !== 0 || 4 + size > bytes.length)
      throw new Error('its precompiled_charsmap is damaged');
    const units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
    return new CharsMap(units, bytes.subarray(4 + size));
  }

  /**
   * Replaces the longest key at each place, and passes over a character where there is none, as SentencePiece does.
   * Tokenizers takes the shortest key within a grapheme and drops the rest of it, so that it loses marks that stand
   * apart (huggingface/tokenizers#2116, #2334); the models have been trained with SentencePiece's results.
   */
  normalize(text: string): string {
    const bytes = ENCODER.encode(text);
    let normalized = '';
    let kept = 0;
    for (let at = 0; at < bytes.length;) {
      const found = this.longest(bytes, at);
      if (!found) {
        at += bytesOfCharacter(bytes[at]);
        continue;
      }
      if (kept < at) normalized += DECODER.decode(bytes.subarray(kept, at));
      normalized += this.replacement(found.value);
      at += found.length;
      kept = at;
    }
    return kept === 0 ? text : normalized + DECODER.decode(bytes.subarray(kept));
  }

  private longest(bytes: Uint8Array, start: number): { length: number; value: number } | undefined {
    const { units } = this;
    let found: { length: number; value: number } | undefined;
    let node = offset(units[0]);
    for (let at = start; at < bytes.length; at++) {
      node ^= bytes[at];
      const unit = units[node];
      if (unit === undefined || label(unit) !== bytes[at]) break;
      node ^= offset(unit);
      if (hasLeaf(unit)) found = { length: at - start + 1, value: (units[node] ?? 0) & 0x7fffffff };
    }
    return found;
  }

  private replacement(from: number): string {
    const end = this.replacements.indexOf(0, from);
    return DECODER.decode(this.replacements.subarray(from, end < 0 ? undefined : end));
  }
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });

// The units of darts-clone.
const hasLeaf = (unit: number): boolean => ((unit >>> 8) & 1) === 1;
const label = (unit: number): number => (unit & 0x800000ff) >>> 0;
const offset = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);

/** The number of bytes of a character in UTF-8, by its first one. */
const bytesOfCharacter = (first: number): number =>
  first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
