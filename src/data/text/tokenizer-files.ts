import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { inputExists, readInput } from '../../files/inputs/open';
import { content } from './special-tokens';

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

/** Files of a CLIP tokenizer beside its vocab.json. Only the first must be there. */
const CLIP_FILES = ['merges.txt', 'special_tokens_map.json', 'added_tokens.json'];

/** The pattern by which CLIP divides words further: contractions, letters, single digits, and other signs together. */
const WORD = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

/** The tokens of CLIPTokenizer if tokenizer_config.json and special_tokens_map.json name no others. */
const DEFAULTS = { bos_token: '<|startoftext|>', eos_token: '<|endoftext|>', unk_token: '<|endoftext|>' };

/**
 * The tokenizer.json that transformers' CLIPTokenizer would write for vocab.json and merges.txt, the only files that the
 * repositories of Stable Diffusion have.
 *
 * @param path of vocab.json
 * @param readJson of an object; throws AuroraError 'tokenizer'
 */
function readClipFiles(path: string, readJson: (path: string) => Json): TokenizerFiles {
  const folder = dirname(path);
  const beside = (name: string): Json =>
    inputExists(join(folder, name), 'tokenizer') ? readJson(join(folder, name)) : {};
  const vocab = readJson(path) as Record<string, number>;
  const named = { ...DEFAULTS, ...beside('special_tokens_map.json') };
  const tokenizerConfig = { ...named, ...beside('tokenizer_config.json') };
  const special = (role: string): string => content(tokenizerConfig[role as keyof typeof tokenizerConfig])!;
  const added = new Map(Object.entries(beside('added_tokens.json')) as [string, number][]);
  for (const [id, token] of Object.entries((tokenizerConfig as Json).added_tokens_decoder ?? {})) {
    const text = content(token);
    if (text !== undefined) added.set(text, Number(id));
  }
  const idOf = (role: string): [token: string, id: number] => {
    const token = special(role);
    const id = vocab[token] ?? added.get(token);
    if (id !== undefined) return [token, id];
    throw new AuroraError(
      'tokenizer',
      `${path} has no id for ${JSON.stringify(token)}, the ${role} of this tokenizer.`,
      'Download the tokenizer of this pipeline again.',
    );
  };
  const [bos, eos] = [idOf('bos_token'), idOf('eos_token')];
  const padding = (tokenizerConfig as Json).pad_token === undefined ? eos : idOf('pad_token');
  // A pad token is special wherever it stands in a text, even the "!" of SDXL's second encoder.
  const specials = new Map([bos, eos, idOf('unk_token'), padding]);
  const tokens = [...added, ...specials];
  return {
    tokenizer: {
      added_tokens: [...new Map(tokens.map(([text, id]) => [id, text]))].map(([id, text]) => ({
        id,
        content: text,
        special: specials.has(text),
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: !specials.has(text),
      })),
      normalizer: {
        type: 'Sequence',
        normalizers: [
          { type: 'NFC' },
          { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
          { type: 'Lowercase' },
        ],
      },
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [
          { type: 'Split', pattern: { Regex: WORD }, behavior: 'Removed', invert: true },
          { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
        ],
      },
      post_processor: {
        type: 'RobertaProcessing',
        sep: eos,
        cls: bos,
        trim_offsets: false,
        add_prefix_space: false,
      },
      decoder: {
        type: 'Sequence',
        decoders: [
          { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
          { type: 'Replace', pattern: { String: '</w>' }, content: ' ' },
        ],
      },
      padding: { pad_id: padding[1] },
      model: {
        type: 'BPE',
        unk_token: special('unk_token'),
        continuing_subword_prefix: '',
        end_of_word_suffix: '</w>',
        fuse_unk: false,
        vocab,
        merges: readMerges(join(folder, 'merges.txt')),
      },
    },
    tokenizerConfig,
    modelConfig: {},
  };
}

/** Pairs, most frequent first; the first line may state the version. */
function readMerges(path: string): [string, string][] {
  let lines: string[];
  try {
    lines = readInput(path, 'tokenizer').toString('utf8').split(/\r?\n/);
  } catch (cause) {
    throw new AuroraError(
      'tokenizer',
      `${path} cannot be read: ${(cause as Error).message}`,
      'A tokenizer with vocab.json needs the merges.txt that was published with it: download it again.',
      { cause },
    );
  }
  return lines
    .filter((line, i) => line !== '' && !(i === 0 && line.startsWith('#version')))
    .map((line, i) => {
      const parts = line.split(' ');
      if (parts.length === 2) return [parts[0]!, parts[1]!];
      throw new AuroraError(
        'tokenizer',
        `${path}: merge ${i + 1}, ${JSON.stringify(line.slice(0, 40))}, is not a pair.`,
        'Download the tokenizer of this pipeline again.',
      );
    });
}
