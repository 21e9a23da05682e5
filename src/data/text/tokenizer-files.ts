import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { inputExists, readInput } from '../../files/inputs/open';
import { CLIP_FILES, readClipFiles } from './clip-files';

export type Json = Record<string, unknown>;

export interface TokenizerFiles {
  /** tokenizer.json */
  tokenizer: Json & { model: Json };
  /** tokenizer_config.json beside it; empty if there is none. */
  tokenizerConfig: Json;
  /** config.json beside it; empty if there is none. */
  modelConfig: Json;
  /** chat_template.jinja beside it, where newer exports have the template. */
  chatTemplate?: string;
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readJson(path: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(readInput(path, 'tokenizer').toString('utf8'));
  } catch (cause) {
    const what = cause instanceof SyntaxError ? 'is not valid JSON' : 'cannot be read';
    throw new AuroraError(
      'tokenizer',
      `${path} ${what}: ${(cause as Error).message}`,
      'Restore it from the model’s source.',
      { cause },
    );
  }
  if (!isObject(value)) throw new AuroraError('tokenizer', `${path} is not a JSON object.`);
  return value;
}

const jsonOrEmpty = (path: string): Json => (inputExists(path, 'tokenizer') ? readJson(path) : {});

const textBeside = (path: string): { chatTemplate?: string } =>
  inputExists(path, 'tokenizer') ? { chatTemplate: readInput(path, 'tokenizer').toString('utf8') } : {};

/** SHA-256 of all these files. @throws AuroraError 'tokenizer' as `readTokenizerFiles` */
export function tokenizerSum(path: string): string {
  const hash = createHash('sha256');
  for (const name of [basename(path), ...BESIDE, ...(basename(path) === VOCAB ? CLIP_FILES : [])]) {
    const file = join(dirname(path), name);
    hash.update(inputExists(file, 'tokenizer') ? `${name} ` : `no ${name} `);
    if (inputExists(file, 'tokenizer'))
      hash.update(createHash('sha256').update(readInput(file, 'tokenizer')).digest());
  }
  return hash.digest('hex');
}

/** The file of tokenizers without a tokenizer.json. */
const VOCAB = 'vocab.json';

export const TOKENIZER_CONFIG = 'tokenizer_config.json';
export const CHAT_TEMPLATE = 'chat_template.jinja';

const BESIDE = [TOKENIZER_CONFIG, 'config.json', CHAT_TEMPLATE];

/** The types that the library implements; it would take any other type for a plain word list. */
const MODELS = ['WordPiece', 'BPE', 'Unigram'];

/** True if this is the vocab.json of a CLIP tokenizer, according to its tokenizer_config.json. */
function isClip(path: string): boolean {
  const config = join(dirname(path), TOKENIZER_CONFIG);
  const name =
    basename(path) === VOCAB && inputExists(config, 'tokenizer') && readJson(config).tokenizer_class;
  return typeof name === 'string' && /^CLIPTokenizer(Fast)?$/.test(name);
}

/**
 * tokenizer.json and the two files beside it that complete it, or the vocab.json of a CLIP tokenizer with those beside it.
 * Throws tokenizer errors.
 */
export function readTokenizerFiles(path: string): TokenizerFiles {
  if (!inputExists(path, 'tokenizer'))
    throw new AuroraError(
      'tokenizer',
      `${path} does not exist.`,
      'Put the model\'s tokenizer.json beside the ONNX file, or name it in model.tokenizer. A "fast" Hugging Face tokenizer writes one with save_pretrained.',
    );
  if (isClip(path)) return readClipFiles(path, readJson);
  const tokenizer = readJson(path);
  const { model } = tokenizer;
  if (!isObject(model) || typeof model.vocab !== 'object' || model.vocab === null)
    throw new AuroraError(
      'tokenizer',
      `${path} has no model with a vocabulary, so it is not a tokenizer.json.`,
      'tokenizer_config.json and vocab.json are other files; model.tokenizer must name tokenizer.json.',
    );
  // Files from before tokenizers 0.9 name no type; the library then decides by the other fields.
  if (model.type !== undefined && !MODELS.includes(model.type as string))
    throw new AuroraError(
      'tokenizer',
      `${path}: the tokenizer model ${JSON.stringify(model.type)} is not supported.`,
      `Supported are ${MODELS.join(', ')}.`,
    );
  const folder = dirname(path);
  return {
    tokenizer: { ...tokenizer, model },
    tokenizerConfig: jsonOrEmpty(join(folder, TOKENIZER_CONFIG)),
    modelConfig: jsonOrEmpty(join(folder, 'config.json')),
    ...textBeside(join(folder, CHAT_TEMPLATE)),
  };
}
