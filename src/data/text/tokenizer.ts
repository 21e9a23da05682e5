import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { AuroraError } from '../../base/errors';
import { correctByteFallback, correctUnigram } from './byte-fallback';
import { correctAddedTokens, correctNormalizers, correctPreTokenizers } from './tokenizer-corrections';
import { limitPatterns } from './bounded-patterns';
import { chatTemplate, type ChatTemplate } from './chat';
import {
  findEndId,
  findMaskId,
  findPadId,
  isTokenId,
  pairFormat,
  specialTokens,
  truncatesLeft,
} from './special-tokens';
import { joinPair } from './pair';
import type { Encoded, TokenCache } from './token-cache';
import { readTokenizerFiles, type TokenizerFiles } from './tokenizer-files';

export interface Encoding {
  ids: number[];
  /** Segment ids, where the tokenizer gives any; as long as `ids`. */
  typeIds?: number[];
  truncated: boolean;
}

interface SpecialToken {
  id: number;
  typeId?: number;
}

export interface SpecialTokens {
  before: SpecialToken[];
  after: SpecialToken[];
  /** The segment id of the text itself, where the tokenizer gives any. */
  typeId?: number;
}

export interface Tokenizer {
  path: string;
  /** The ids with special tokens; at most `maxLength`, cut inside the special tokens as Hugging Face does. */
  encode(text: string, maxLength: number): Encoding;
  /** Two texts in the tokenizer's own format, truncated longest first. */
  encodePair(first: string, second: string, maxLength: number): Encoding;
  /** At least the first `length` tokens, special ones included, whatever end of a long text is dropped elsewhere. */
  encodeStart(text: string, length: number): number[];
  /** All tokens of a text, without special tokens around it; special tokens that are written in it are read as such. */
  encodeBare(text: string): number[];
  /** The tokens of a word within a text, without special tokens. */
  encodePart(word: string): readonly number[];
  /**
   * The special tokens around a single text.
   *
   * @throws AuroraError 'tokenizer' if they fill `maxLength`
   */
  special(maxLength: number): SpecialTokens;
  /** The text of tokens, special ones left out; nothing is tidied up, so that more tokens only add to it. */
  decode(ids: readonly number[]): string;
  /** The text of tokens, special ones by their names. */
  decodeAll(ids: readonly number[]): string;
  /** The id of a token by its own name; undefined if it has none. */
  idOf(token: string): number | undefined;
  /**
   * The text of one token, without marks for a word's beginning or middle; undefined for special and unknown tokens.
   */
  piece(id: number): string | undefined;
  /** The text of one token alone: with the mark of a word's middle, special ones by their names. */
  wordOf(id: number): string;
  /** Tokens that are not part of a text, such as those that separate texts and those that stand for unknown words. */
  specialIds: ReadonlySet<number>;
  /** All other tokens, in ascending order. */
  ordinaryIds(): readonly number[];
  padId: number;
  /** The token that stands for a hidden one, if the files name one, and its spelling in a text. */
  maskId?: number;
  maskToken?: string;
  /** The token that ends a text, if the files name one. */
  endId?: number;
  /** The chat template as in the files; undefined without one. */
  chat?: ChatTemplate;
  /** The largest id plus one, added tokens included. */
  vocabSize: number;
  /** The assumptions that were made. */
  warnings: string[];
}

function build({ tokenizer, tokenizerConfig }: TokenizerFiles): HuggingFaceTokenizer {
  const optional = {
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
  };
  const hf = new HuggingFaceTokenizer({ ...optional, ...tokenizer }, tokenizerConfig);
  correctAddedTokens(hf);
  correctNormalizers(hf.normalizer);
  correctPreTokenizers(hf.pre_tokenizer, tokenizer.pre_tokenizer);
  correctUnigram(hf);
  correctByteFallback(hf.decoder);
  limitPatterns(hf);
  return hf;
}

/** Converts errors of the library, which throws if the file is not as it expects, to errors of the file. */
function reading<T>(path: string, use: () => T): T {
  try {
    return use();
  } catch (cause) {
    if (cause instanceof AuroraError) throw cause;
    throw new AuroraError(
      'tokenizer',
      `${path} cannot be used: ${(cause as Error).message}`,
      'It needs a part that @huggingface/tokenizers does not have, or the file is damaged.',
      { cause },
    );
  }
}

/** The text of a token of nothing but a space. */
const SPACE = '␣';

/** Encodes a text, with special tokens by default, and cuts nothing. */
type EncodeWhole = (text: string, special?: boolean) => Encoded;

/** @throws AuroraError 'tokenizer' where the library fails, or a token has no id */
function encodeWhole(path: string, hf: HuggingFaceTokenizer, text: string, special: boolean): Encoded {
  let encoding;
  try {
    encoding = hf.encode(text, { return_token_type_ids: true, add_special_tokens: special });
  } catch (cause) {
    throw new AuroraError(
      'tokenizer',
      `${path} cannot encode the text of ${text.length} characters that begins ${JSON.stringify(text.slice(0, 40))}: ${(cause as Error).message}`,
      'Shorten or remove the text.',
      { cause },
    );
  }
  const { ids, tokens, token_type_ids } = encoding;
  const unknown = ids.findIndex((id) => !isTokenId(id));
  if (unknown >= 0)
    throw new AuroraError(
      'tokenizer',
      `${path}: ${JSON.stringify(tokens[unknown])} is not in the vocabulary and there is no unknown token.`,
      "Set the model's unk_token (unk_id for Unigram) in tokenizer.json.",
    );
  if (token_type_ids?.every(isTokenId) === false)
    throw new AuroraError(
      'tokenizer',
      `${path} gives its tokens segments that are not numbers (type_id in post_processor).`,
      'Copy it again from where the model came from.',
    );
  return { ids, token_type_ids };
}

/** Words whose tokens are remembered. */
const MOST_PARTS = 100_000;

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/**
 * Characters for each token wanted: enough for most texts, and for texts of long words. There are more tokens than
 * wanted, so that the cut end of a text does not matter.
 */
const HEAD_CHARACTERS = [6, 16];
const HEAD_MARGIN = 16;
/** The characters of a text up to which all of its tokens are counted, where one token of its pair depends on them. */
const MOST_COUNTED = 50_000;

/**
 * Encoding of only as much of a long text as fills `maxLength`, up to a space: the same ids once cut, without
 * the time of a whole book or running into the library's limit of about 100 000 tokens. Undefined where a head is not enough.
 */
function encodeHead(
  encode: EncodeWhole,
  text: string,
  maxLength: number,
  special = true,
): Encoded | undefined {
  const wanted = maxLength + HEAD_MARGIN;
  for (const perToken of HEAD_CHARACTERS) {
    if (text.length <= wanted * perToken) return undefined;
    const window = text.slice(0, wanted * perToken);
    const head = window.replace(/\p{White_Space}\P{White_Space}*$/u, '');
    const encoding = head === window ? undefined : encode(head, special);
    if (encoding && encoding.ids.length >= wanted) return encoding;
  }
  return undefined;
}

/**
 * A tokenizer.json with the tokenizer_config.json and config.json beside it, if any. Throws tokenizer errors: no
 * such file, not JSON, a part that is not supported.
 */
export function loadTokenizer(path: string, cache?: TokenCache): Tokenizer {
  const files = readTokenizerFiles(path);
  return reading(path, () => wrap(path, files, build(files), cache));
}

function wrap(
  path: string,
  files: TokenizerFiles,
  hf: HuggingFaceTokenizer,
  cache: TokenCache | undefined,
): Tokenizer {
  const { before, after } = specialTokens(hf);
  const left = truncatesLeft(files);
  const padId = findPadId(files, (token) => hf.token_to_id(token));
  const endId = findEndId(files, (token) => hf.token_to_id(token));
  const maskId = findMaskId(files, (token) => hf.token_to_id(token));
  const chat = reading(path, () => chatTemplate(path, files));
  const vocabSize = largestId(path, hf) + 1;

  const whole: EncodeWhole = (text, special = true) => {
    const encode = () => encodeWhole(path, hf, text, special);
    return cache ? cache.encoded(text, special, encode) : encode();
  };

  const requireRoom = (maxLength: number, special = before + after, texts = 1): void => {
    if (maxLength < special + texts)
      throw new AuroraError(
        'tokenizer',
        `model.maxLength is ${maxLength}, but ${special} of it go to special tokens.`,
        `Set model.maxLength to ${special + texts} or more.`,
      );
  };

  const encode = (text: string, maxLength: number): Encoding => {
    requireRoom(maxLength);
    const { ids, token_type_ids: typeIds } =
      (left ? undefined : encodeHead(whole, text, maxLength)) ?? whole(text);
    const excess = ids.length - maxLength;
    if (excess <= 0) return { ids, typeIds, truncated: false };
    const cut = (values: number[]): number[] =>
      values.toSpliced(left ? before : values.length - after - excess, excess);
    return { ids: cut(ids), ...(typeIds && { typeIds: cut(typeIds) }), truncated: true };
  };

  const plain = (text: string) => whole(text, false).ids;
  const format = once(() => reading(path, () => pairFormat(hf, files)));
  const encodePair = (first: string, second: string, maxLength: number): Encoding => {
    const parts = format();
    const room = maxLength - (parts.length - 2);
    requireRoom(maxLength, parts.length - 2, 2);
    const head = (text: string) =>
      (left ? undefined : encodeHead(whole, text, room + 1, false))?.ids ?? plain(text);
    const texts = [head(first), head(second)];
    // All tokens of both texts determine the one that gets the odd token.
    const counted =
      room % 2 === 1 &&
      texts.every((ids) => ids.length > room) &&
      Math.max(first.length, second.length) <= MOST_COUNTED;
    return joinPair(parts, counted ? [plain(first), plain(second)] : texts, room, left);
  };

  const specialIds = new Set(
    [...hf.get_added_tokens_decoder().values()].filter((t) => t.special).map((t) => t.id),
  );
  const ordinaryIds = once(() =>
    [...new Set(hf.model!.tokens_to_ids.values())].filter((id) => !specialIds.has(id)).sort((a, b) => a - b),
  );
  // The library refuses an empty list.
  const decoded = (ids: readonly number[], withoutSpecial: boolean): string =>
    ids.length === 0
      ? ''
      : reading(path, () =>
          textOf(hf, [...ids], {
            skip_special_tokens: withoutSpecial,
            clean_up_tokenization_spaces: false,
          }),
        );

  const alone = (id: number): string => decoded([id], false);
  const piece = (id: number): string | undefined => {
    if (specialIds.has(id) || hf.id_to_token(id) === undefined) return undefined;
    return alone(id).replace(/^##/, '').trim() || SPACE;
  };
  const wordOf = (id: number): string => alone(id).trim() || SPACE;

  // Byte-level BPE has other tokens for a word after a space than for one at the start of a text. Comparing "a" with "
  // a" would not suffice: a normalizer that prepends a space, as Llama's, would add a second one.
  const separator = once(() => (plain('a a').join() === [...plain('a'), ...plain('a')].join() ? '' : ' '));
  const parts = new Map<string, readonly number[]>();
  const encodePart = (word: string): readonly number[] => {
    let ids = parts.get(word);
    if (!ids) {
      ids = plain(`${separator()}${word}`);
      if (parts.size < MOST_PARTS) parts.set(word, ids);
    }
    return ids;
  };

  const around = once((): SpecialTokens => {
    const { ids, token_type_ids: typeIds } = whole('a');
    const token = (i: number): SpecialToken => ({ id: ids[i], ...(typeIds && { typeId: typeIds[i] }) });
    return {
      before: Array.from({ length: before }, (_, i) => token(i)),
      after: Array.from({ length: after }, (_, i) => token(ids.length - after + i)),
      ...(typeIds && { typeId: typeIds[before] ?? 0 }),
    };
  });
  const special = (maxLength: number): SpecialTokens => {
    requireRoom(maxLength);
    return around();
  };

  return {
    path,
    encode,
    encodePair,
    encodeStart: (text, length) => (encodeHead(whole, text, length) ?? whole(text)).ids,
    encodeBare: plain,
    encodePart,
    special,
    decode: (ids) => decoded(ids, true),
    decodeAll: (ids) => decoded(ids, false),
    idOf: (token) => hf.token_to_id(token),
    piece,
    wordOf,
    specialIds,
    ordinaryIds,
    padId: padId ?? 0,
    maskId,
    maskToken: maskId === undefined ? undefined : hf.id_to_token(maskId)!,
    endId,
    chat,
    vocabSize,
    warnings: [
      ...(padId === undefined ? [`${path} names no padding token; batches are padded with id 0.`] : []),
      ...(isRoFormer(files)
        ? [`${path}: transformers divides Chinese texts with jieba first, whose words are not known here.`]
        : []),
    ],
  };
}

/**
 * True for RoFormer's tokenizer, whose pre-tokenizer is Python's jieba: its file has BERT's in the place of it
 * (tokenization_roformer.py, save_pretrained), which gives other tokens for Chinese texts only.
 */
const isRoFormer = ({ tokenizerConfig }: TokenizerFiles): boolean =>
  /^RoFormerTokenizer(Fast)?$/.test(String(tokenizerConfig.tokenizer_class));

function textOf(
  hf: HuggingFaceTokenizer,
  ids: number[],
  options: Parameters<HuggingFaceTokenizer['decode']>[1],
): string {
  const text: unknown = hf.decode(ids, options);
  if (typeof text !== 'string') throw new Error('its decoder does not produce text');
  return text;
}

/** @throws AuroraError 'tokenizer' where a token has an id that is none */
function largestId(path: string, hf: HuggingFaceTokenizer): number {
  let largest = -1;
  for (const [token, id] of hf.model!.tokens_to_ids) {
    if (!isTokenId(id))
      throw new AuroraError(
        'tokenizer',
        `${path} gives the token ${JSON.stringify(token)} the id ${JSON.stringify(id)}, which is not a number of a token.`,
        'Copy it again from where the model came from.',
      );
    largest = Math.max(largest, id);
  }
  return largest;
}

/** Throws a tokenizer error when the model's embedding has no row for some token id. */
export function checkVocabulary(tokenizer: Tokenizer, vocabularyRows: number, modelPath: string): void {
  if (tokenizer.vocabSize <= vocabularyRows) return;
  throw new AuroraError(
    'vocabulary',
    `${tokenizer.path} has token ids up to ${tokenizer.vocabSize - 1}, but the embedding of ${modelPath} has ${vocabularyRows} rows.`,
    'The tokenizer belongs to another model: set model.tokenizer to the one that came with this model.',
  );
}
