import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadTokenizer } from '../../../src/data/text/tokenizer';
import { AuroraError } from '../../../src/base/errors';
import { temporaryFolder } from './support';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const folder = temporaryFolder();
const fixture = (kind: string): Json =>
  JSON.parse(
    readFileSync(join(import.meta.dirname, '../../fixtures/data', kind, 'tokenizer.json'), 'utf8'),
  ) as Json;

const CHARSMAP = (
  JSON.parse(
    readFileSync(join(import.meta.dirname, '../../fixtures/data/charsmap/charsmap.json'), 'utf8'),
  ) as { charsmap: string }
).charsmap;

const BPE: Json = {
  added_tokens: [{ id: 5, content: '</s>', special: true }],
  normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Lowercase' }] },
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  post_processor: { type: 'ByteLevel', trim_offsets: false },
  decoder: { type: 'ByteLevel' },
  model: {
    type: 'BPE',
    unk_token: 'a',
    dropout: null,
    byte_fallback: false,
    vocab: { a: 0, b: 1, ab: 2, Ġ: 3, Ġa: 4 },
    merges: ['a b', 'Ġ a'],
  },
};

const PRECOMPILED: Json = {
  ...(fixture('unigram') as Record<string, Json>),
  normalizer: { type: 'Sequence', normalizers: [{ type: 'Precompiled', precompiled_charsmap: CHARSMAP }] },
};

/** JSON values that replace each member. */
const WRONG: Json[] = [
  null,
  true,
  -1,
  1.5,
  1e308,
  '',
  'x',
  '[',
  [],
  [true],
  [null],
  [[]],
  {},
  { toString: 1 },
  { type: 'x' },
];

/** The value with each of its members in turn removed and replaced by each wrong one. */
function* damaged(value: Json, at = ''): Generator<[string, Json]> {
  for (const wrong of WRONG) yield [`${at} = ${JSON.stringify(wrong)}`, wrong];
  if (typeof value !== 'object' || value === null) return;
  const entries = Object.entries(value);
  // The entries of a vocabulary are all alike, so three are enough.
  for (const [key, member] of entries.length > 12 ? entries.slice(0, 3) : entries) {
    const without = (by?: Json): Json => {
      const changed = entries.flatMap(([k, v]) =>
        k !== key ? [[k, v] as const] : by === undefined ? [] : [[k, by] as const],
      );
      return Array.isArray(value) ? changed.map(([, v]) => v) : Object.fromEntries(changed);
    };
    yield [`${at}.${key} removed`, without()];
    for (const [where, by] of damaged(member, `${at}.${key}`)) yield [where, without(by)];
  }
}

const TEXTS = ['', 'The cats, hello ab! 日本 é z [MASK] </s> \0'];

/** Loads and uses a tokenizer.json; returns the error if it is rejected. */
function use(content: string): AuroraError | undefined {
  const path = folder.write('tokenizer.json', content);
  try {
    const tokenizer = loadTokenizer(path);
    const wrong: unknown[] = [];
    const check = (value: unknown, below = 2 ** 31): void => {
      if (!Number.isInteger(value) || (value as number) < 0 || (value as number) >= below) wrong.push(value);
    };
    check(tokenizer.vocabSize);
    check(tokenizer.padId);
    for (const text of TEXTS) {
      const { ids, typeIds = [] } = tokenizer.encode(text, 12);
      for (const id of ids) check(id, tokenizer.vocabSize);
      for (const id of typeIds) check(id);
      check(ids.length, 13);
      const texts = [tokenizer.decode(ids), ...ids.map((id) => tokenizer.piece(id) ?? '')];
      wrong.push(...texts.filter((piece) => typeof piece !== 'string'));
    }
    expect(wrong).toEqual([]);
  } catch (e) {
    if (e instanceof AuroraError && e.kind === 'tokenizer') {
      expect(e.message).toContain(path);
      return e;
    }
    throw e;
  }
  return undefined;
}

it.each([
  ['WordPiece', fixture('wordpiece')],
  ['Unigram', fixture('unigram')],
  ['BPE', BPE],
  ['Unigram and SentencePiece normalization', PRECOMPILED],
])('a tokenizer.json of %s with any member changed is either used or rejected with its path', (_, whole) => {
  expect(use(JSON.stringify(whole))).toBeUndefined();
  const unclean: string[] = [];
  let refused = 0;
  for (const [where, json] of damaged(whole)) {
    try {
      if (use(JSON.stringify(json))) refused++;
    } catch (e) {
      unclean.push(`${where}: ${(e as Error).message.split('\n')[0]}`);
    }
  }
  expect(unclean).toEqual([]);
  expect(refused).toBeGreaterThan(50);
});
