import type { Json } from '../json-file';
import type { Vocabulary } from './vocabulary';

/** The roles of special tokens, in the order in which transformers adds those that a vocabulary lacks. */
export const ROLES = ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask'] as const;
export type Role = (typeof ROLES)[number];

/** The values from which a class of transformers builds its parts. */
export interface ClassSource {
  vocabulary: Vocabulary;
  /** A setting of tokenizer_config.json. @throws AuroraError 'tokenizer' if it is neither a boolean nor missing */
  flag(name: string): boolean | undefined;
  /** The special token with its id. @throws AuroraError 'tokenizer' if there is none */
  special(role: Role): [token: string, id: number];
}

/** A tokenizer of transformers in Python, by its class: the parts of the tokenizer.json that it is converted to. */
export interface TokenizerClass {
  /** The file of its vocabulary; merges.txt belongs to vocab.json. */
  file: 'vocab.txt' | 'vocab.json';
  /** The special tokens unless the files name others. */
  tokens: Partial<Record<Role, string>>;
  /** Its mask token is found with the white space before it. */
  maskTakesSpace: boolean;
  /** Settings with other values than these change the tokens in some versions of transformers only. */
  only: Readonly<Record<string, unknown>>;
  parts(source: ClassSource): { model: Json } & Json;
}
