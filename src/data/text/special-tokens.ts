import type { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import type { PairPart } from './pair';
import type { TokenizerFiles } from './tokenizer-files';

/** A special token is written as its text or as an object with its text. */
export function content(token: unknown): string | undefined {
  const text = typeof token === 'object' && token !== null ? (token as { content?: unknown }).content : token;
  return typeof text === 'string' ? text : undefined;
}

/**
 * The id that fills a batch up: from the padding section, the named pad token, the model's configuration, or a token
 * with the name of pad tokens; undefined if none of them does.
 */
export function findPadId(
  { tokenizer, tokenizerConfig, modelConfig }: TokenizerFiles,
  idOf: (token: string) => number | undefined,
): number | undefined {
  const padding = tokenizer.padding as { pad_id?: unknown } | null | undefined;
  const named = content(tokenizerConfig.pad_token);
  return [
    padding?.pad_id,
    named === undefined ? undefined : idOf(named),
    modelConfig.pad_token_id,
    idOf('[PAD]'),
    idOf('<pad>'),
  ].find(isTokenId);
}

/** The id that ends a text, as tokenizer_config.json or config.json name it; of several, the first. */
export function findEndId(
  { tokenizerConfig, modelConfig }: TokenizerFiles,
  idOf: (token: string) => number | undefined,
): number | undefined {
  const named = content(tokenizerConfig.eos_token);
  return [named === undefined ? undefined : idOf(named), ...[modelConfig.eos_token_id].flat()].find(
    isTokenId,
  );
}

/** The id that stands for a hidden token: that of the named mask token, or of a token called as mask tokens are. */
export function findMaskId(
  { tokenizerConfig }: TokenizerFiles,
  idOf: (token: string) => number | undefined,
): number | undefined {
  const named = content(tokenizerConfig.mask_token);
  return [named === undefined ? undefined : idOf(named), idOf('[MASK]'), idOf('<mask>')].find(isTokenId);
}

/** Ids go into int32 tensors too. */
const BEYOND = 2 ** 31;

/** True if a value from a tokenizer's files can be the id of a token, or of a segment. */
export const isTokenId = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < BEYOND;

/** The numbers of special tokens before and after a single text. */
export function specialTokens(hf: HuggingFaceTokenizer): { before: number; after: number } {
  const text = '\0';
  const tokens = hf.post_processor?.post_process([text], null, true).tokens ?? [text];
  const before = tokens.indexOf(text);
  return { before, after: tokens.length - before - 1 };
}

/**
 * The order of the parts of a pair of texts, with segment ids. Without a format, the texts follow each other
 * (tokenizers, PostProcessor::default_process).
 *
 * @throws Error if a special token of the format has no id
 */
export function pairFormat(hf: HuggingFaceTokenizer, { tokenizer }: TokenizerFiles): PairPart[] {
  const texts = ['\0', '\u0001'];
  const made = hf.post_processor?.post_process([texts[0]], [texts[1]], true) ?? { tokens: texts };
  const { tokens, token_type_ids: typeIds } = made;
  // A post-processor that adds no tokens leaves the two texts apart.
  const { tokens_pair: apart = [] } = made as { tokens_pair?: string[] };
  const oneSegment = processorTypes(tokenizer.post_processor).includes('RobertaProcessing');
  return [...tokens, ...apart].map((token, i) => {
    const text = texts.indexOf(token);
    // The library gives RoBERTa's pairs two segments; tokenizers and RoBERTa itself have one.
    const typeId = oneSegment ? 0 : (typeIds?.[i] ?? Math.max(0, text));
    if (text >= 0) return { text, typeId };
    const id = hf.token_to_id(token);
    if (!isTokenId(id)) throw new Error(`the token ${JSON.stringify(token)} of its pairs has no id`);
    return { id, typeId };
  });
}

/** The type of a post-processor, and of those that it consists of. */
function processorTypes(section: unknown): unknown[] {
  const { type, processors } = (section ?? {}) as { type?: unknown; processors?: unknown };
  return [type, ...(Array.isArray(processors) ? processors.flatMap(processorTypes) : [])];
}

/**
 * True if the beginning of a long text is dropped: tokenizer.json's truncation section, else tokenizer_config.json;
 * false by default.
 */
export function truncatesLeft({ tokenizer, tokenizerConfig }: TokenizerFiles): boolean {
  const section = tokenizer.truncation as { direction?: unknown } | null | undefined;
  const side = section?.direction ?? tokenizerConfig.truncation_side;
  return typeof side === 'string' && side.toLowerCase() === 'left';
}
