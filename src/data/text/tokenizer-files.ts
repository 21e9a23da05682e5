import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { inputExists, readInput } from '../../files/inputs/open';
import { isObject, jsonOrEmpty, readJson, type Json } from './json-file';
import { convertVocabulary, isVocabulary, SAVE_HINT, VOCABULARY_FILES } from './vocabulary-files/convert';

export type { Json } from './json-file';

export interface TokenizerFiles {
  /** tokenizer.json, or what transformers makes of the older files of a tokenizer. */
  tokenizer: Json & { model: Json };
  /** tokenizer_config.json beside it; empty if there is none. */
  tokenizerConfig: Json;
  /** config.json beside it; empty if there is none. */
  modelConfig: Json;
  /** chat_template.jinja beside it, where newer exports have the template. */
  chatTemplate?: string;
}

export const TOKENIZER_CONFIG = 'tokenizer_config.json';
export const CHAT_TEMPLATE = 'chat_template.jinja';

const BESIDE = [TOKENIZER_CONFIG, 'config.json', CHAT_TEMPLATE];

/** SHA-256 of all these files. @throws AuroraError 'tokenizer' as `readTokenizerFiles` */
export function tokenizerSum(path: string): string {
  const hash = createHash('sha256');
  const names = [basename(path), ...BESIDE, ...(isVocabulary(path) ? VOCABULARY_FILES : [])];
  for (const name of new Set(names)) {
    const file = join(dirname(path), name);
    hash.update(inputExists(file, 'tokenizer') ? `${name} ` : `no ${name} `);
    if (inputExists(file, 'tokenizer'))
      hash.update(createHash('sha256').update(readInput(file, 'tokenizer')).digest());
  }
  return hash.digest('hex');
}

/** The types that the library implements; it would take any other type for a plain word list. */
const MODELS = ['WordPiece', 'BPE', 'Unigram'];

/**
 * tokenizer.json and the files beside it that complete it, or a vocabulary (vocab.txt, vocab.json) with those beside it.
 * Throws tokenizer errors.
 */
export function readTokenizerFiles(path: string): TokenizerFiles {
  if (!inputExists(path, 'tokenizer')) throw missing(path);
  const folder = dirname(path);
  const beside = {
    modelConfig: jsonOrEmpty(join(folder, 'config.json')),
    ...textBeside(join(folder, CHAT_TEMPLATE)),
  };
  if (isVocabulary(path)) return { ...convertVocabulary(path), ...beside };
  const tokenizer = readJson(path);
  const { model } = tokenizer;
  if (!isObject(model) || typeof model.vocab !== 'object' || model.vocab === null)
    throw new AuroraError(
      'tokenizer',
      `${path} has no model with a vocabulary, so it is not a tokenizer.json.`,
      'model.tokenizer must name a tokenizer.json, vocab.txt or vocab.json; tokenizer_config.json is another file.',
    );
  // Files from before tokenizers 0.9 name no type; the library then decides by the other fields.
  if (model.type !== undefined && !MODELS.includes(model.type as string))
    throw new AuroraError(
      'tokenizer',
      `${path}: the tokenizer model ${JSON.stringify(model.type)} is not supported.`,
      `Supported are ${MODELS.join(', ')}.`,
    );
  return {
    tokenizer: { ...tokenizer, model },
    tokenizerConfig: jsonOrEmpty(join(folder, TOKENIZER_CONFIG)),
    ...beside,
  };
}

const textBeside = (path: string): { chatTemplate?: string } =>
  inputExists(path, 'tokenizer') ? { chatTemplate: readInput(path, 'tokenizer').toString('utf8') } : {};

/** Models of SentencePiece, by the names that transformers gives them. */
const SENTENCE_PIECE = ['tokenizer.model', 'spiece.model', 'sentencepiece.bpe.model', 'spm.model'];

function missing(path: string): AuroraError {
  const model = SENTENCE_PIECE.find((name) => inputExists(join(dirname(path), name), 'tokenizer'));
  return model === undefined
    ? new AuroraError(
        'tokenizer',
        `${path} does not exist.`,
        'Put the model\'s tokenizer.json (or its vocab.txt, or vocab.json and merges.txt) beside the model, or name it in model.tokenizer. A "fast" Hugging Face tokenizer writes a tokenizer.json with save_pretrained.',
      )
    : new AuroraError(
        'tokenizer',
        `${path} does not exist, and ${model} beside it is a model of SentencePiece, which is not read.`,
        SAVE_HINT,
      );
}
