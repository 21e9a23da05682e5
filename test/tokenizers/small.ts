/** Small tokenizers of the kinds that language models have, learned from a text here. */

import { bpe, byteLevel, special, template, text, token, type TokenizerJson } from './formats';
import { SCRIPTS } from './texts';

type Pair = [string, string];

/** The most frequent pairs of neighbors, one after the other, each joined before the next is counted. */
function learnMerges(words: readonly string[][], count: number): Pair[] {
  let split = words.map((word) => [...word]);
  const merges: Pair[] = [];
  while (merges.length < count) {
    const counts = new Map<string, number>();
    for (const word of split)
      for (let i = 1; i < word.length; i++) {
        const pair = `${word[i - 1]} ${word[i]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    const [best] = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
    if (!best || best[1] < 2) break;
    const [left, right] = best[0].split(' ');
    merges.push([left, right]);
    split = split.map((word) => joined(word, left, right));
  }
  return merges;
}

function joined(word: readonly string[], left: string, right: string): string[] {
  const out: string[] = [];
  for (let i = 0; i < word.length; i++)
    if (word[i] === left && word[i + 1] === right) {
      out.push(left + right);
      i++;
    } else out.push(word[i]);
  return out;
}

const TEXT =
  `${SCRIPTS[0].article} ${SCRIPTS[2].article} The year was 1984, or 2024; it's 3.14 there's 1,000. `.repeat(
    3,
  );

/** The characters that stand for the 256 bytes in GPT-2's vocabulary. */
export function byteCharacters(): string[] {
  const isShown = (b: number) => (b > 32 && b < 127) || (b > 160 && b !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, b) => String.fromCodePoint(isShown(b) ? b : next++));
}

/** A pre-tokenizer's sections, as the models named have them. */
const GPT2_WORDS = byteLevel;
const LLAMA3 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const splitBy = (Regex: string) => ({
  type: 'Sequence',
  pretokenizers: [
    { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false },
    { ...byteLevel, use_regex: false },
  ],
});
const DIGITS = { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel] };

const KINDS = {
  'gpt-2': { words: GPT2_WORDS, normalizer: null, whole: false },
  'llama-bpe': { words: splitBy(LLAMA3), normalizer: null, whole: true },
  qwen2: { words: splitBy(LLAMA3.replace('{1,3}', '')), normalizer: { type: 'NFC' }, whole: false },
  smollm: { words: DIGITS, normalizer: null, whole: false },
} as const;

/** Names of llama.cpp. */
export type ByteLevelKind = keyof typeof KINDS;
export const BYTE_LEVEL_KINDS = Object.keys(KINDS) as ByteLevelKind[];

/** Byte-level BPE. Its last tokens are `<|begin|>`, which it puts before a text if asked to, and `<|end|>`. */
export function byteLevelTokenizer(kind: ByteLevelKind, begins: boolean): TokenizerJson {
  const characters = byteCharacters();
  const bytes = (word: string) => [...Buffer.from(word)].map((b) => characters[b]);
  const words = TEXT.match(/ ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+/gu)!;
  const merges = learnMerges(words.map(bytes), 120);
  const pieces = [...characters, ...merges.map((pair) => pair.join(''))];
  const begin = pieces.length;
  const { words: pre_tokenizer, normalizer, whole } = KINDS[kind];
  return {
    added_tokens: [special('<|begin|>', begin), special('<|end|>', begin + 1)],
    normalizer,
    pre_tokenizer,
    post_processor: begins
      ? template(
          { '<|begin|>': begin },
          [token('<|begin|>'), text('A')],
          [token('<|begin|>'), text('A'), token('<|begin|>', 1), text('B', 1)],
        )
      : byteLevel,
    decoder: byteLevel,
    model: bpe(
      Object.fromEntries(pieces.map((piece, id) => [piece, id])),
      merges.map((pair) => pair.join(' ')),
      whole,
    ),
  };
}

/** The normalizers and pre-tokenizers of Llama 2, of its later files, and of Gemma. */
const SPACES = {
  llama: {
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
  },
  metaspace: {
    normalizer: null,
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: false },
  },
  gemma: {
    normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    pre_tokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false },
  },
} as const;

export type SentencePieceKind = keyof typeof SPACES;
export const SENTENCE_PIECE_KINDS = Object.keys(SPACES) as SentencePieceKind[];

/** SentencePiece's BPE as a tokenizer.json: every pair whose text is a piece is a merge. It puts `<s>` before a text. */
export function sentencePieceTokenizer(kind: SentencePieceKind): TokenizerJson {
  const words = TEXT.split(' ').map((word) => [...`▁${word}`]);
  const learned = learnMerges(words, 150).map((pair) => pair.join(''));
  const characters = [...new Set(words.flat())];
  const made = [...new Set(learned)];
  const known = new Set([...made, ...characters]);
  const merges = made.flatMap((piece) => {
    const parts = [...piece];
    const pairs = parts.slice(1).map((_, i) => [parts.slice(0, i + 1).join(''), parts.slice(i + 1).join('')]);
    return pairs.filter((pair) => pair.every((part) => known.has(part)));
  });
  const bytes = Array.from({ length: 256 }, (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`);
  const tokens = ['<unk>', '<s>', '</s>', ...bytes, ...made, ...characters];
  return {
    added_tokens: ['<unk>', '<s>', '</s>'].map(special),
    ...SPACES[kind],
    post_processor: template(
      { '<s>': 1 },
      [token('<s>'), text('A')],
      [token('<s>'), text('A'), text('B', 1)],
    ),
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
      ],
    },
    model: {
      ...bpe(
        Object.fromEntries(tokens.map((piece, id) => [piece, id])),
        merges.map((pair) => pair.join(' ')),
        false,
      ),
      unk_token: '<unk>',
      fuse_unk: true,
      byte_fallback: true,
    },
  };
}

/** The number of ids. */
export const tokenCount = ({ added_tokens, model }: TokenizerJson): number =>
  [
    ...Object.values(model.vocab as Record<string, number>),
    ...(added_tokens as { id: number }[]).map(({ id }) => id),
  ].reduce((a, b) => Math.max(a, b)) + 1;
