import { basename, dirname, join } from 'node:path';
import { jsonText } from '../../../base/json-text';
import { AuroraError } from '../../../base/errors';
import { inputExists } from '../../../files/inputs/open';
import { jsonOrEmpty, type Json } from '../json-file';
import { addedTokens, TOKEN_FILES } from './added-tokens';
import { CLASS_OF_MODEL, CLASSES } from './classes';
import { ROLES, type ClassSource, type Role, type TokenizerClass } from './tokenizer-class';
import { readVocabulary } from './vocabulary';

/** The names of the vocabularies of transformers' tokenizers in Python. */
const NAMES: readonly string[] = ['vocab.txt', 'vocab.json'];

/** True for the vocabulary of a tokenizer without tokenizer.json, by its name. */
export const isVocabulary = (path: string): boolean => NAMES.includes(basename(path));

/** All files that are read for such a tokenizer but tokenizer_config.json and config.json. */
export const VOCABULARY_FILES: readonly string[] = [...NAMES, 'merges.txt', ...TOKEN_FILES];

export const SAVE_HINT =
  'A tokenizer.json beside it is read instead. transformers writes one in Python: AutoTokenizer.from_pretrained("FOLDER").save_pretrained("FOLDER").';

/**
 * The tokenizer.json that transformers makes of the older files (convert_slow_tokenizer.py of version 4 and the tokenizers'
 * classes of version 5), with a tokenizer_config.json that names its special tokens.
 *
 * @param path of a vocabulary. The class of the folder's tokenizer decides which of its files are read.
 * @throws AuroraError 'tokenizer' if the class is unknown or not supported, or a file is missing or damaged
 */
export function convertVocabulary(path: string): {
  tokenizer: Json & { model: Json };
  tokenizerConfig: Json;
} {
  const folder = dirname(path);
  const config = jsonOrEmpty(join(folder, 'tokenizer_config.json'));
  const name = classNameOf(path, config);
  const found = CLASSES.get(name);
  if (!found) throw unsupported(path, name);
  const vocabularyPath = join(folder, found.file);
  if (!inputExists(vocabularyPath, 'tokenizer'))
    throw new AuroraError(
      'tokenizer',
      `${path}: the tokenizer of this folder is ${name}, whose vocabulary is in ${found.file}, and there is no such file.`,
      'Restore it from the model’s source, or correct tokenizer_class in tokenizer_config.json.',
    );
  requireSettings(folder, config, name, found);
  const vocabulary = readVocabulary(vocabularyPath);
  const { all, roles, unplaced } = addedTokens(folder, config, vocabulary, found);
  const source: ClassSource = {
    vocabulary,
    flag: (key) => flagOf(folder, config, key),
    special(role) {
      const token = roles[role];
      if (token && !unplaced.has(token.content)) return [token.content, token.id];
      const text = token?.content ?? found.tokens[role];
      throw new AuroraError(
        'tokenizer',
        text === undefined || (!token && config[`${role}_token`] === null)
          ? `${folder} names no ${role}_token, which ${name} needs.`
          : `${vocabularyPath} has no id for ${JSON.stringify(text)}, the ${role}_token of ${name}.`,
        'Restore the files of the tokenizer from the model’s source.',
      );
    },
  };
  const tokens = Object.fromEntries(
    ROLES.map((role: Role) => [`${role}_token`, roles[role]?.content]).filter(
      ([, text]) => text !== undefined,
    ),
  ) as Json;
  const others = Object.entries(config).filter(([key]) => !ROLES.some((role) => key === `${role}_token`));
  return {
    tokenizer: { version: '1.0', truncation: null, padding: null, added_tokens: all, ...found.parts(source) },
    tokenizerConfig: { ...Object.fromEntries(others), tokenizer_class: name, ...tokens },
  };
}

/**
 * The name of the class without "Fast", as AutoTokenizer finds it: in tokenizer_config.json, else in config.json, else by the
 * type of the model.
 */
function classNameOf(path: string, config: Json): string {
  const model = jsonOrEmpty(join(dirname(path), 'config.json'));
  const type = model.model_type;
  const name =
    config.tokenizer_class ??
    model.tokenizer_class ??
    (typeof type === 'string' ? CLASS_OF_MODEL.get(type) : undefined);
  if (typeof name === 'string') return name.replace(/Fast$/, '');
  throw new AuroraError(
    'tokenizer',
    typeof type === 'string'
      ? `${path} is the vocabulary of a tokenizer whose class is unknown: tokenizer_config.json beside it names none (tokenizer_class), and models of the type ${type} have no usual one.`
      : `${path} is the vocabulary of a tokenizer whose class is unknown: neither tokenizer_config.json beside it (tokenizer_class) nor config.json (model_type) names one.`,
    `Set tokenizer_class in tokenizer_config.json. ${SAVE_HINT}`,
  );
}

function unsupported(path: string, name: string): AuroraError {
  if (name === 'RoFormerTokenizer')
    return new AuroraError(
      'tokenizer',
      `${path}: RoFormerTokenizer divides texts into the words of the Chinese dictionary of jieba, which is not here.`,
      'For English texts, its tokenizer.json divides them as BERT’s does. transformers writes one in Python: AutoTokenizer.from_pretrained("FOLDER").save_pretrained("FOLDER").',
    );
  return new AuroraError(
    'tokenizer',
    `${path}: the tokenizer of this folder is ${name}, which is read from a tokenizer.json only.`,
    `${SAVE_HINT} Without it, the vocabularies of ${[...CLASSES.keys()].join(', ')} are read.`,
  );
}

/** @throws AuroraError 'tokenizer' for a setting whose effect depends on the version of transformers */
function requireSettings(folder: string, config: Json, name: string, { only }: TokenizerClass): void {
  for (const [key, value] of Object.entries(only)) {
    const given = config[key] ?? value;
    if (given === value) continue;
    throw new AuroraError(
      'tokenizer',
      `${join(folder, 'tokenizer_config.json')} has ${key} ${JSON.stringify(given)}, which is not supported for the vocabulary of ${name}.`,
      SAVE_HINT,
    );
  }
}

function flagOf(folder: string, config: Json, key: string): boolean | undefined {
  const value = config[key] ?? undefined;
  if (value === undefined || typeof value === 'boolean') return value;
  throw new AuroraError(
    'tokenizer',
    `${join(folder, 'tokenizer_config.json')} has ${key} ${jsonText(value)}, which is neither true nor false.`,
    'Restore it from the model’s source.',
  );
}
