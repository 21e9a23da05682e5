import { isTokenId } from './token-id';
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
