/**
 * The parts of the tokenizer.json files that published models of these families have, with vocabularies that are learned
 * from the corpus here.
 */

import { readFileSync } from 'node:fs';
import { Tokenizer } from 'tokenizers';
import { byteLevel, special, template, text, token, type TokenizerJson } from './formats';
import { byteCharacters } from './small';
import { CORPUS } from './texts';

/** Writes a file into a folder and returns its path. */
type Write = (name: string, data: string) => string;

type Part = Record<string, unknown> | null;

export interface Pipeline {
  normalizer?: Part;
  words: Part;
  processor?: Part;
  decoder: Part;
  model: Record<string, unknown> & { type: 'BPE' | 'Unigram' | 'WordPiece' };
  /** Special tokens, which come first in the vocabulary. */
  specials?: string[];
  /** Other added tokens, behind all pieces: found after normalization, such as runs of spaces. */
  added?: string[];
}

const sequence = (key: string, parts: object[]) => ({ type: 'Sequence', [key]: parts });
const words = (...parts: object[]) => sequence('pretokenizers', parts);
const normal = (...parts: object[]) => sequence('normalizers', parts);
const decode = (...parts: object[]) => sequence('decoders', parts);
const split = (pattern: object, behavior = 'Isolated') => ({
  type: 'Split',
  pattern,
  behavior,
  invert: false,
});
const replace = (pattern: object, content: string) => ({ type: 'Replace', pattern, content });
const bytes = { ...byteLevel, use_regex: false };
const metaspace = (prepend_scheme: string, isSplit = true) => ({
  type: 'Metaspace',
  replacement: '▁',
  prepend_scheme,
  split: isSplit,
});
const around = (before: string[], after: string[], between: string[], second = 0) => {
  const ids = Object.fromEntries([...new Set([...before, ...after, ...between])].map((name) => [name, 0]));
  const tokens = (names: string[], type = 0) => names.map((name) => token(name, type));
  return template(
    ids,
    [...tokens(before), text('A'), ...tokens(after)],
    [...tokens(before), text('A'), ...tokens(between), text('B', second), ...tokens(after, second)],
  );
};

const BPE = {
  type: 'BPE' as const,
  dropout: null,
  unk_token: null,
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
  fuse_unk: false,
  byte_fallback: false,
  vocab: {},
  merges: [],
};
/** Older files have empty affixes in place of none. */
const EMPTY_AFFIXES = { ...BPE, continuing_subword_prefix: '', end_of_word_suffix: '' };
const UNIGRAM = { type: 'Unigram' as const, unk_id: 0, vocab: [], byte_fallback: false };
const LLAMA_DECODER = decode(
  replace({ String: '▁' }, ' '),
  { type: 'ByteFallback' },
  { type: 'Fuse' },
  {
    type: 'Strip',
    content: ' ',
    start: 1,
    stop: 0,
  },
);

const CL100K =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const O200K = [
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
  '\\p{N}{1,3}',
  ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*',
  '\\s*[\\r\\n]+',
  '\\s+(?!\\S)',
  '\\s+',
].join('|');
const SPACES = Array.from({ length: 30 }, (_, i) => ' '.repeat(31 - i));

export const PIPELINES: Record<string, Pipeline> = {
  'Falcon 7B and 40B': {
    words: words(
      { type: 'Punctuation', behavior: 'Contiguous' },
      byteLevel,
      { type: 'Digits', individual_digits: false },
      split({ Regex: '[0-9][0-9][0-9]' }),
    ),
    processor: byteLevel,
    decoder: byteLevel,
    model: BPE,
    specials: ['>>TITLE<<', '<|endoftext|>'],
  },
  'Phi-2 (CodeGen)': {
    words: byteLevel,
    processor: { ...byteLevel, trim_offsets: false },
    decoder: byteLevel,
    model: EMPTY_AFFIXES,
    specials: ['<|endoftext|>'],
    added: [...SPACES, '\t\t\t', '\t\t'],
  },
  'OLMo, MPT and StableLM 3B (GPT-NeoX)': {
    normalizer: { type: 'NFC' },
    words: byteLevel,
    processor: byteLevel,
    decoder: byteLevel,
    model: BPE,
    specials: ['<|endoftext|>', '<|padding|>'],
    added: SPACES,
  },
  'OLMo 3 and StableLM 2 (cl100k)': {
    words: words({ ...split({ Regex: CL100K }, 'Removed'), invert: true }, bytes),
    decoder: byteLevel,
    model: BPE,
    specials: ['<|endoftext|>'],
  },
  'Command R, Aya and Command R7B': {
    normalizer: { type: 'NFC' },
    words: words({ type: 'Digits', individual_digits: true }, byteLevel),
    processor: around(['<BOS_TOKEN>'], [], ['<BOS_TOKEN>'], 1),
    decoder: byteLevel,
    model: BPE,
    specials: ['<PAD>', '<UNK>', '<CLS>', '<SEP>', '<MASK_TOKEN>', '<BOS_TOKEN>', '<EOS_TOKEN>'],
  },
  'OPT (GPT-2 behind </s>)': {
    words: byteLevel,
    processor: around(['</s>'], [], ['</s>'], 0),
    decoder: byteLevel,
    model: EMPTY_AFFIXES,
    specials: ['<s>', '<pad>', '</s>'],
  },
  BLOOM: {
    words: words(split({ Regex: ' ?[^(\\s|[.,!?…。，、।۔،])]+' }), bytes),
    processor: byteLevel,
    decoder: byteLevel,
    model: BPE,
    specials: ['<unk>', '<s>', '</s>', '<pad>'],
  },
  'GPT-OSS (o200k)': {
    words: words(split({ Regex: O200K }), bytes),
    processor: bytes,
    decoder: byteLevel,
    model: { ...BPE, ignore_merges: true },
    specials: ['<|startoftext|>', '<|endoftext|>', '<|channel|>', '<|message|>', '<|end|>'],
  },
  'GLM-4': {
    words: words(split({ Regex: CL100K }), bytes),
    processor: around(['[gMASK]', '<sop>'], [], [], 0),
    decoder: byteLevel,
    model: BPE,
    specials: ['<|endoftext|>', '[gMASK]', '<sop>', '<|user|>'],
  },
  'EXAONE 4': {
    normalizer: { type: 'NFC' },
    words: words({ type: 'Digits', individual_digits: true }, byteLevel),
    decoder: byteLevel,
    model: EMPTY_AFFIXES,
    specials: ['[PAD]', '[BOS]', '[EOS]'],
  },
  Helium: {
    normalizer: normal({ type: 'Prepend', prepend: ' ' }, replace({ String: ' ' }, '▁')),
    words: words(split({ String: '\n' }, 'Contiguous')),
    processor: around(['<s>'], [], ['<s>'], 1),
    decoder: LLAMA_DECODER,
    model: { ...UNIGRAM, byte_fallback: true },
    specials: ['<unk>', '<s>', '</s>', '<pad>'],
  },
  Persimmon: {
    normalizer: normal({ type: 'Prepend', prepend: '▁' }, replace({ String: ' ' }, '▁')),
    words: null,
    processor: around(['|ENDOFTEXT|'], [], ['|ENDOFTEXT|'], 0),
    decoder: LLAMA_DECODER,
    model: { ...UNIGRAM, byte_fallback: true },
    specials: ['|UNKNOWN|', '|ENDOFTEXT|'],
  },
  'DeBERTa (v1)': {
    words: byteLevel,
    processor: around(['[CLS]'], ['[SEP]'], ['[SEP]'], 1),
    decoder: byteLevel,
    model: EMPTY_AFFIXES,
    specials: ['[CLS]', '[PAD]', '[SEP]', '[UNK]', '[MASK]'],
  },
  EuroBERT: {
    words: words(split({ Regex: CL100K }), bytes),
    processor: sequence('processors', [
      byteLevel,
      around(['<|begin_of_text|>'], ['<|end_of_text|>'], ['<|end_of_text|>'], 0),
    ]),
    decoder: byteLevel,
    model: { ...BPE, ignore_merges: true },
    specials: ['<|begin_of_text|>', '<|end_of_text|>', '<|mask|>', '<|pad|>'],
  },
  'RoFormer, as it is saved': {
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: false,
      strip_accents: null,
      lowercase: true,
    },
    words: { type: 'BertPreTokenizer' },
    processor: around(['[CLS]'], ['[SEP]'], ['[SEP]'], 1),
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: {},
    },
    specials: ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'],
  },
  RemBERT: {
    normalizer: normal(
      replace({ String: '``' }, '"'),
      replace({ String: "''" }, '"'),
      replace({ Regex: ' {2,}' }, ' '),
    ),
    words: metaspace('always'),
    processor: around(['[CLS]'], ['[SEP]'], ['[SEP]'], 1),
    decoder: metaspace('always'),
    model: { ...UNIGRAM, unk_id: 1 },
    specials: ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'],
  },
  'RemBERT, uncased': {
    normalizer: normal(
      replace({ String: '``' }, '"'),
      replace({ Regex: ' {2,}' }, ' '),
      { type: 'NFKD' },
      { type: 'StripAccents' },
      { type: 'Lowercase' },
    ),
    words: metaspace('always'),
    processor: around(['[CLS]'], ['[SEP]'], ['[SEP]'], 1),
    decoder: metaspace('always'),
    model: { ...UNIGRAM, unk_id: 1 },
    specials: ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'],
  },
  BART: {
    words: byteLevel,
    processor: {
      type: 'RobertaProcessing',
      sep: ['</s>', 2],
      cls: ['<s>', 0],
      trim_offsets: true,
      add_prefix_space: false,
    },
    decoder: byteLevel,
    model: EMPTY_AFFIXES,
    specials: ['<s>', '<pad>', '</s>', '<unk>'],
  },
  'mBART, with its language behind a text': {
    words: words({ type: 'WhitespaceSplit' }, metaspace('always')),
    processor: around([], ['</s>', 'en_XX'], [], 0),
    decoder: metaspace('always'),
    model: { ...UNIGRAM, unk_id: 3 },
    specials: ['<s>', '<pad>', '</s>', '<unk>', 'ar_AR', 'en_XX'],
  },
  'mBART-50, with its language before a text': {
    normalizer: normal(
      { type: 'Strip', strip_left: false, strip_right: true },
      replace({ Regex: ' {2,}' }, '▁'),
    ),
    words: metaspace('always'),
    processor: around(['en_XX'], ['</s>'], [], 0),
    decoder: metaspace('always'),
    model: { ...UNIGRAM, unk_id: 3 },
    specials: ['<s>', '<pad>', '</s>', '<unk>', 'ar_AR', 'en_XX'],
  },
};

/**
 * Pieces are learned from whole lines, so that there are some that cross words: a wrong division of words is then seen in
 * the tokens.
 */
const WITHOUT_WORDS = {
  BPE: { pre_tokenizer: bytes },
  Unigram: { normalizer: replace({ String: ' ' }, '▁'), pre_tokenizer: null },
};
/** Lines have no ends. */
const LINE_ENDS: [string, number][] = [
  ['\n', -8],
  ['\n\n', -9],
];

/** The tokenizer.json of a pipeline, with pieces that are learned from the corpus. */
export function learnedPipeline(
  { normalizer = null, words, processor = null, decoder, model, specials = [], added = [] }: Pipeline,
  write: Write,
): TokenizerJson {
  const parts = {
    version: '1.0',
    truncation: null,
    padding: null,
    normalizer,
    pre_tokenizer: words,
    decoder,
  };
  const bare = { ...parts, post_processor: null, added_tokens: [], model };
  const empty = model.type === 'Unigram' ? { ...model, unk_id: 0, vocab: [['<none>', 0]] } : model;
  const coarse = model.type === 'WordPiece' ? bare : { ...bare, ...WITHOUT_WORDS[model.type] };
  const tokenizer = Tokenizer.fromString(JSON.stringify({ ...coarse, model: empty }));
  tokenizer.train([write('corpus.txt', CORPUS.join('\n'))]);
  const path = write('learned.json', '');
  tokenizer.save(path);
  const learned = (JSON.parse(readFileSync(path, 'utf8')) as TokenizerJson).model;
  const { vocab, merges } = vocabularyOf(learned, specials, model);
  const size = vocab instanceof Array ? vocab.length : Object.keys(vocab).length;
  return {
    ...parts,
    post_processor: numbered(processor, specials),
    added_tokens: [
      ...specials.map(special),
      ...added.map((content, i) => ({ ...special(content, size + i), normalized: true, special: false })),
    ],
    model: { ...model, vocab, ...(merges !== undefined && { merges }) },
  };
}

function vocabularyOf(learned: Record<string, unknown>, specials: string[], model: Pipeline['model']) {
  const fallback = model.byte_fallback
    ? Array.from({ length: 256 }, (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`)
    : [];
  if (model.type === 'Unigram') {
    const pieces = (learned.vocab as [string, number][]).filter(
      ([piece]) => piece !== '<none>' && piece !== '\n' && !specials.includes(piece),
    );
    const first = [...specials, ...fallback].map((s): [string, number] => [s, 0]);
    return { vocab: [...first, ...LINE_ENDS, ...pieces] };
  }
  const pieces = Object.entries(learned.vocab as Record<string, number>)
    .sort((a, b) => a[1] - b[1])
    .map(([piece]) => piece);
  const base = model.type === 'BPE' ? byteCharacters() : [];
  const all = [...new Set([...specials, ...fallback, ...base, ...pieces])];
  return { vocab: Object.fromEntries(all.map((piece, id) => [piece, id])), merges: learned.merges };
}

/** A post-processor with the ids that its special tokens have here. */
function numbered(processor: Part, specials: string[]): Part {
  const id = (name: string) => specials.indexOf(name);
  const { processors, special_tokens } = (processor ?? {}) as {
    processors?: Part[];
    special_tokens?: Record<string, object>;
  };
  if (processors) return { ...processor, processors: processors.map((each) => numbered(each, specials)) };
  if (!special_tokens) return processor;
  const names = Object.keys(special_tokens);
  return {
    ...processor,
    special_tokens: Object.fromEntries(
      names.map((name) => [name, { id: name, ids: [id(name)], tokens: [name] }]),
    ),
  };
}
