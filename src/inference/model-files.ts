import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Tokenizer } from '../data/text/tokenizer';

type Json = Record<string, unknown>;

/** The files beside a model that describe its use; empty if missing or unreadable. */
export interface ModelFiles {
  config: Json;
  generation: Json;
  /** Beside the tokenizer. */
  tokenizerConfig: Json;
  preprocessor: Json;
}

export function readModelFiles(model: string, tokenizer: string): ModelFiles {
  const beside = (name: string) => read(join(dirname(model), name));
  return {
    config: beside('config.json'),
    generation: beside('generation_config.json'),
    tokenizerConfig: read(join(dirname(tokenizer), 'tokenizer_config.json')),
    preprocessor: beside('preprocessor_config.json'),
  };
}

function read(path: string): Json {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
  } catch {
    return {};
  }
}

/** Far above any model's limit; tokenizers without one state 10³⁰. */
const NO_LIMIT = 1e7;

/** Text length if none is stated: that of BERT and its relatives. */
export const USUAL_LENGTH = 512;

/** The longest text, in tokens, that these files allow; undefined if not stated. */
export function longestText({ config, tokenizerConfig }: ModelFiles): number | undefined {
  const limits = [
    tokenizerConfig.model_max_length,
    config.max_position_embeddings,
    config.n_positions,
    config.n_ctx,
  ].filter((n): n is number => Number.isInteger(n) && (n as number) > 0 && (n as number) < NO_LIMIT);
  return limits.length > 0 ? Math.min(...limits) : undefined;
}

/** Every token that any of these files names as an end of text. */
export function endTokens({ config, generation, tokenizerConfig }: ModelFiles, of: Tokenizer): Set<number> {
  const named = tokenizerConfig.eos_token;
  const token = typeof named === 'object' && named !== null ? (named as Json).content : named;
  const ids = [config.eos_token_id, generation.eos_token_id].flat();
  if (typeof token === 'string') ids.push(of.idOf(token));
  return new Set(ids.filter((id): id is number => Number.isInteger(id)));
}
