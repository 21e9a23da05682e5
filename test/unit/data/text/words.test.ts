import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../../../src/data/text/tokenizer';
import { encodeWords, wordsIn } from '../../../../src/data/text/word-tokens';
import { failure, temporaryFolder } from '../support';

const FIXTURES = join(import.meta.dirname, '../../../fixtures');
const file = (kind: string): string => join(FIXTURES, kind, 'tokenizer.json');
const wordpiece = loadTokenizer(file('data/wordpiece'));
const unigram = loadTokenizer(file('data/unigram'));
const byteLevel = loadTokenizer(file('playground/language'));
const folder = temporaryFolder();

/** A tokenizer.json like a fixture, with some sections replaced. */
function variant(of: string, sections: object) {
  const json = JSON.parse(readFileSync(file(of), 'utf8')) as object;
  return loadTokenizer(folder.write('tokenizer.json', JSON.stringify({ ...json, ...sections })));
}

/** As in Llama's tokenizer, a normalizer prepends the space, and no pre-tokenizer splits the text into words. */
const prepending = variant('data/unigram', {
  normalizer: {
    type: 'Sequence',
    normalizers: [
      { type: 'Prepend', prepend: '▁' },
      { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    ],
  },
  pre_tokenizer: null,
});
const spaced = variant('playground/language', {
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
});

const list = (first: Int32Array) => [...first];

describe('encodeWords', () => {
  const words = fc.array(
    fc.constantFrom('the', 'cats', 'playing', 'unaffable', 'dog', '!', 'Café', '日本', 'hello', 'worlds'),
    { minLength: 1, maxLength: 12 },
  );

  it.each([
    ['WordPiece', wordpiece, ''],
    ['Unigram with Metaspace', unigram, ''],
    ['Unigram after a normalizer that prepends a space', prepending, ''],
    ['byte-level BPE', byteLevel, ' '],
    ['byte-level BPE that prepends a space', spaced, ''],
  ])('gives the same tokens as the joined text: %s', (_, tokenizer, before) => {
    fc.assert(
      fc.property(words, (given) => {
        const { ids, typeIds, truncated, first } = encodeWords(tokenizer, given, 1000);
        const whole = tokenizer.encode(before + given.join(' '), 1000);
        expect({ ids, ...(typeIds && { typeIds }), truncated }).toEqual(whole);
        // A word starts where the text before it ends.
        const special = tokenizer.special(1000);
        const starts = given.map((_, i) =>
          i === 0
            ? special.before.length
            : tokenizer.encode(before + given.slice(0, i).join(' '), 1000).ids.length - special.after.length,
        );
        expect(list(first)).toEqual(starts);
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  it('adds a space before every word, including the first, for byte-level BPE', () => {
    const { ids, first } = encodeWords(byteLevel, ['the', 'weather'], 10);
    const [the, weather] = ['Ġthe', 'Ġweather'].map((token) => byteLevel.idOf(token)!);
    expect([ids, list(first)]).toEqual([[the, weather], [0, 1]]); // prettier-ignore
    expect(byteLevel.encode('the weather', 10).ids).not.toEqual(ids);
  });

  it('returns the position of each word’s first token, after the special tokens', () => {
    const { ids, typeIds, first, truncated } = encodeWords(wordpiece, ['the', 'unaffable', 'cats', '!'], 64);
    expect(ids).toEqual([2, 5, 11, 12, 13, 7, 16, 3]);
    expect(typeIds).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(list(first)).toEqual([1, 2, 5, 6]);
    expect(truncated).toBe(false);
  });

  it('truncates within a word, which keeps its first token, and before a word, which has none', () => {
    const given = ['the', 'unaffable', 'cats'];
    const cut = (maxLength: number) => {
      const { ids, first, truncated, typeIds } = encodeWords(wordpiece, given, maxLength);
      expect(typeIds).toEqual(ids.map(() => 0));
      expect(wordpiece.encode(given.join(' '), maxLength)).toEqual({ ids, typeIds, truncated });
      return { ids, first: list(first), truncated };
    };
    expect(cut(7)).toEqual({ ids: [2, 5, 11, 12, 13, 7, 3], first: [1, 2, 5], truncated: false });
    expect(cut(6)).toEqual({ ids: [2, 5, 11, 12, 13, 3], first: [1, 2, -1], truncated: true });
    expect(cut(5)).toEqual({ ids: [2, 5, 11, 12, 3], first: [1, 2, -1], truncated: true });
    expect(cut(4)).toEqual({ ids: [2, 5, 11, 3], first: [1, 2, -1], truncated: true });
    expect(cut(3)).toEqual({ ids: [2, 5, 3], first: [1, -1, -1], truncated: true });
    expect(failure('tokenizer', () => encodeWords(wordpiece, given, 2))).toContain('model.maxLength is 2');
  });

  it('skips words without tokens, and returns nothing if there are only such words', () => {
    // BERT's normalizer drops characters without a width.
    const nothing = '\u200b';
    const { ids, first, truncated } = encodeWords(wordpiece, [nothing, 'the', nothing, 'cats', nothing], 64);
    expect([ids, list(first), truncated]).toEqual([[2, 5, 7, 3], [-1, 1, -1, 2, -1], false]); // prettier-ignore
    const none = encodeWords(wordpiece, [nothing, nothing], 64);
    expect([none.ids, none.typeIds, list(none.first)]).toEqual([[], expect.any(Array), [-1, -1]]);
    expect(encodeWords(wordpiece, ['the', 'cats'], 3).truncated).toBe(true);
    expect(encodeWords(wordpiece, ['the', 'cats'], 4).truncated).toBe(false);
  });

  it('uses the segment ids of the post-processor', () => {
    const typed = variant('data/wordpiece', {
      post_processor: {
        type: 'TemplateProcessing',
        single: [
          { SpecialToken: { id: '[CLS]', type_id: 2 } },
          { Sequence: { id: 'A', type_id: 1 } },
          { SpecialToken: { id: '[SEP]', type_id: 0 } },
        ],
        pair: [],
        special_tokens: {
          '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
          '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
        },
      },
    });
    const { ids, typeIds } = encodeWords(typed, ['the', 'cats'], 10);
    expect({ ids, typeIds, truncated: false }).toEqual(typed.encode('the cats', 10));
    expect(typeIds).toEqual([2, 1, 1, 0]);
  });
});

describe('wordsIn', () => {
  const words = (text: string) => wordsIn(text).map((w) => w.word);

  it.each([
    ['Peter Blackburn, 1996-08-22', ['Peter', 'Blackburn', ',', '1996', '-', '08', '-', '22']],
    ["I don't like Paris's 3.5% or 1,000.", ['I', "don't", 'like', "Paris's", '3.5', '%', 'or', '1,000', '.']], // prettier-ignore
    ['l’été à São Paulo', ['l’été', 'à', 'São', 'Paulo']],
    ['e\u0301te\u0301', ['e\u0301te\u0301']],
    ['Москва — столица', ['Москва', '—', 'столица']],
    ['हिन्दी में', ['हिन्दी', 'में']],
    ['مرحبا، العالم', ['مرحبا', '،', 'العالم']],
    ['東京は日本', ['東京は日本']],
    ['snake_case #tag @me', ['snake_case', '#', 'tag', '@', 'me']],
    ['I ❤\ufe0f 🍕!', ['I', '❤\ufe0f', '🍕', '!']],
    ['a.b', ['a', '.', 'b']],
    ['', []],
    [' \n\t\u00a0', []],
  ])('splits %s', (text, wanted) => expect(words(text)).toEqual(wanted));

  it('returns the position of each word and skips only white space', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
        let end = 0;
        for (const { word, start, end: its } of wordsIn(text)) {
          expect(text.slice(end, start).trim()).toBe('');
          expect(text.slice(start, its)).toBe(word);
          expect(word.trim()).toBe(word);
          end = its;
        }
        expect(text.slice(end).trim()).toBe('');
      }),
      { seed: 1 },
    );
  });
});
