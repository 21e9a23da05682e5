import { join } from 'node:path';
import { jsonText } from '../../../base/json-text';
import { AuroraError } from '../../../base/errors';
import { own } from '../../../base/names';
import { isObject, type Json, jsonOrEmpty } from '../json-file';
import { content, isTokenId } from '../special-tokens';
import { ROLES, type Role, type TokenizerClass } from './tokenizer-class';
import type { Vocabulary } from './vocabulary';

/** An entry of `added_tokens` in a tokenizer.json. */
export interface AddedToken {
  id: number;
  content: string;
  single_word: boolean;
  lstrip: boolean;
  rstrip: boolean;
  normalized: boolean;
  special: boolean;
}

type Unplaced = Omit<AddedToken, 'id'>;

/** The tokens that are found in a text before it is divided. */
export interface AddedTokens {
  /** By id. */
  all: AddedToken[];
  /** The special tokens by role: those that the files name, and those of the class that are in the vocabulary. */
  roles: Partial<Record<Role, AddedToken>>;
  /** Special tokens that no file gives an id: transformers puts them behind all others. */
  unplaced: ReadonlySet<string>;
}

const MAP = 'special_tokens_map.json';
const ADDED = 'added_tokens.json';
/** The files that may name tokens, beside tokenizer_config.json. */
export const TOKEN_FILES: readonly string[] = [MAP, ADDED];

/**
 * The added and special tokens of the files beside a vocabulary, as transformers 4 and 5 combine them
 * (PreTrainedTokenizerBase._from_pretrained): special_tokens_map.json overrides tokenizer_config.json, and
 * added_tokens.json counts, unless tokenizer_config.json has `added_tokens_decoder`. A token of the class that no file
 * names and the vocabulary lacks is left out: transformers gives it an id that the model has no embedding for.
 *
 * @param config tokenizer_config.json
 * @throws AuroraError 'tokenizer' if a token is written as something else, or its id is not the one it gets
 */
export function addedTokens(
  folder: string,
  config: Json,
  vocabulary: Vocabulary,
  { tokens: defaults, maskTakesSpace }: TokenizerClass,
): AddedTokens {
  const decoder = config.added_tokens_decoder;
  const map = decoder === undefined ? jsonOrEmpty(join(folder, MAP)) : {};
  const named: Json = { ...config, ...map };
  const more = [...moreTokens(folder, config), ...moreTokens(folder, map)];
  const placed = new Placed(vocabulary);

  const stated =
    decoder === undefined ? oldTokens(folder, [...roleTokens(named), ...more]) : decoded(folder, decoder);
  for (const [id, token] of stated)
    if (placed.add(token).id !== id)
      throw new AuroraError(
        'tokenizer',
        `${folder} adds the token ${JSON.stringify(token.content)} with the id ${id}, but after ${vocabulary.path} it gets ${placed.get(token.content)!.id}.`,
        'Restore the files of the tokenizer from the model’s source, or get a copy of the model with tokenizer.json.',
      );
  const roles: AddedTokens['roles'] = {};
  const unplaced = new Set<string>();
  for (const role of ROLES) {
    const key = `${role}_token`;
    const isNamed = Object.hasOwn(named, key);
    const value = isNamed ? named[key] : defaults[role];
    if (value === undefined || value === null) continue;
    const text = content(value);
    if (text === undefined) throw notToken(folder, key, value);
    if (!placed.knows(text)) {
      if (!isNamed) continue;
      unplaced.add(text);
    }
    const there = decoder === undefined ? undefined : placed.get(text);
    const takesSpace = role === 'mask' && maskTakesSpace && typeof value === 'string';
    roles[role] = placed.add(there ? { ...there, special: true } : specialToken(value, text, takesSpace));
  }
  for (const value of more) {
    const text = content(value);
    if (text === undefined) throw notToken(folder, 'additional_special_tokens', value);
    if (!placed.get(text)) placed.add(specialToken(value, text, false));
  }
  return { all: placed.all(), roles, unplaced };
}

/** Added tokens with their ids, which are given as in added_vocabulary.rs of tokenizers: that of the vocabulary, else the next. */
class Placed {
  private readonly tokens = new Map<string, AddedToken>();
  private last = -1;
  private readonly size: number;

  constructor(private readonly vocabulary: Vocabulary) {
    this.size = Object.keys(vocabulary.ids).length;
  }

  get = (text: string): AddedToken | undefined => this.tokens.get(text);

  knows = (text: string): boolean => Object.hasOwn(this.vocabulary.ids, text) || this.tokens.has(text);

  /** Replaces an earlier one with the same text. */
  add(token: Unplaced): AddedToken {
    const { content: text } = token;
    const next = this.last >= this.size ? this.last + 1 : this.size;
    const id = own(this.vocabulary.ids, text) ?? this.tokens.get(text)?.id ?? next;
    const placed = { ...token, id };
    this.tokens.set(text, placed);
    this.last = Math.max(this.last, id);
    return placed;
  }

  all = (): AddedToken[] => [...this.tokens.values()].sort((a, b) => a.id - b.id);
}

const roleTokens = (named: Json): unknown[] => ROLES.map((role) => named[`${role}_token`]);

/** added_tokens_decoder of tokenizer_config.json: tokens by id. */
function decoded(folder: string, decoder: unknown): [number, Unplaced][] {
  if (!isObject(decoder)) throw notToken(folder, 'added_tokens_decoder', decoder);
  return Object.entries(decoder)
    .map(([id, value]): [number, Unplaced] => {
      const text = content(value);
      if (!isObject(value) || text === undefined || !/^\d+$/.test(id))
        throw notToken(folder, `added_tokens_decoder ${id}`, value);
      return [Number(id), written(value, text, value.special === true)];
    })
    .sort(([a], [b]) => a - b);
}

/** added_tokens.json: ids by token, of which those that are named elsewhere are special. */
function oldTokens(folder: string, named: readonly unknown[]): [number, Unplaced][] {
  const special = new Set(named.map(content));
  return Object.entries(jsonOrEmpty(join(folder, ADDED)))
    .map(([text, id]): [number, Unplaced] => {
      if (!isTokenId(id)) throw notToken(folder, `${JSON.stringify(text)} in ${ADDED}`, id);
      return [id, written({}, text, special.has(text))];
    })
    .sort(([a], [b]) => a - b);
}

/** additional_special_tokens, which version 5 calls extra_special_tokens: a list, or an object of names and tokens. */
function moreTokens(folder: string, named: Json): unknown[] {
  return ['additional_special_tokens', 'extra_special_tokens'].flatMap((key) => {
    const value = named[key] ?? [];
    if (Array.isArray(value)) return value as unknown[];
    if (!isObject(value)) throw notToken(folder, key, value);
    return Object.values(value);
  });
}

const specialToken = (value: unknown, text: string, lstrip: boolean): Unplaced =>
  written({ lstrip, ...(isObject(value) && value) }, text, true);

/** Special tokens are found in the text as it was, others in the normalized text, unless they say so themselves. */
function written(value: Json, text: string, special: boolean): Unplaced {
  const { single_word, lstrip, rstrip, normalized = !special } = value;
  return {
    content: text,
    single_word: single_word === true,
    lstrip: lstrip === true,
    rstrip: rstrip === true,
    normalized: normalized === true,
    special,
  };
}

const notToken = (folder: string, key: string, value: unknown): AuroraError =>
  new AuroraError(
    'tokenizer',
    `${folder} has ${jsonText(value).slice(0, 80)} for ${key} of its tokenizer, which is not a token.`,
    'Restore the files of the tokenizer from the model’s source.',
  );
