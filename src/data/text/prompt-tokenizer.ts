import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { inputExists, readInput } from '../../files/inputs/open';
import { loadTokenizer, type Tokenizer } from './tokenizer';

/** The tokenizer of a pipeline's text encoder. */
export interface PromptTokenizer {
  tokenizer: Tokenizer;
  /** The length of every prompt, in tokens. */
  length: number;
  padId: number;
  /** `length` ids: the start, the prompt, cut if it is too long, the end, and padding. */
  encode(prompt: string): { ids: Int32Array; truncated: boolean };
}

/**
 * @param folder of a pipeline, such as tokenizer or tokenizer_2
 * @param positions that the text encoder has
 * @throws AuroraError 'tokenizer'
 */
export function loadPromptTokenizer(folder: string, positions: number): PromptTokenizer {
  const tokenizer = loadTokenizer(tokenizerPath(folder));
  const length = Math.min(modelMaxLength(folder), positions);
  const { padId } = tokenizer;
  return {
    tokenizer,
    length,
    padId,
    encode(prompt) {
      const { ids, truncated } = tokenizer.encode(prompt, length);
      return { ids: new Int32Array(length).fill(padId).map((pad, i) => ids[i] ?? pad), truncated };
    },
  };
}

/** vocab.json, which diffusers reads, otherwise tokenizer.json. */
function tokenizerPath(folder: string): string {
  const has = (...names: string[]) => names.every((name) => inputExists(join(folder, name), 'tokenizer'));
  if (has('vocab.json', 'merges.txt')) return join(folder, 'vocab.json');
  if (has('tokenizer.json')) return join(folder, 'tokenizer.json');
  throw new AuroraError(
    'tokenizer',
    `${folder} has neither vocab.json and merges.txt nor tokenizer.json.`,
    'Download the tokenizer of this pipeline again.',
  );
}

/** The limit on tokens. transformers writes a meaningless number if there is no limit. */
function modelMaxLength(folder: string): number {
  const path = join(folder, 'tokenizer_config.json');
  const config = inputExists(path, 'tokenizer')
    ? (JSON.parse(readInput(path, 'tokenizer').toString('utf8')) as { model_max_length?: unknown })
    : {};
  const length = config.model_max_length;
  return typeof length === 'number' && length > 0 ? length : Infinity;
}
