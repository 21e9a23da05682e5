import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CharsMap } from '../../../../src/data/text/tokenizer-corrections';
import { loadTokenizer } from '../../../../src/data/text/tokenizer';
import { failure, temporaryFolder } from '../support';

const { write } = temporaryFolder();
const fixtures = join(import.meta.dirname, '../../../fixtures/data');
const { charsmap, normalized } = JSON.parse(
  readFileSync(join(fixtures, 'charsmap/charsmap.json'), 'utf8'),
) as { charsmap: string; normalized: Record<string, string> };

/** Unigram with this normalizer, and these words whole. */
function unigram(normalizer: object | null, words: string[]): string {
  const vocab = ['<unk>', ...words].map((piece): [string, number] => [piece, piece === '<unk>' ? 0 : -1]);
  return write(
    'tokenizer.json',
    JSON.stringify({ added_tokens: [], normalizer, model: { type: 'Unigram', unk_id: 0, vocab } }),
  );
}
const precompiled = (map: unknown) => ({ type: 'Precompiled', precompiled_charsmap: map });

describe('a precompiled_charsmap', () => {
  it.each(Object.entries(normalized))('makes of %j what SentencePiece makes: %j', (text, expected) =>
    expect(CharsMap.parse(charsmap).normalize(text)).toBe(expected),
  );

  it('is what a tokenizer normalizes with, within a sequence too', () => {
    const sequence = { type: 'Sequence', normalizers: [{ type: 'NFC' }, precompiled(charsmap)] };
    for (const normalizer of [precompiled(charsmap), sequence])
      expect(loadTokenizer(unigram(normalizer, ['xbx'])).encode('xax', 9).ids).toEqual([1]);
  });

  it('may be missing: then NFKC takes its place', () =>
    expect(loadTokenizer(unigram(precompiled(null), ['fi'])).encode('\ufb01', 9).ids).toEqual([1]));

  it.each([
    ['', 'its precompiled_charsmap is damaged'],
    ['AAQA', 'its precompiled_charsmap is damaged'],
    [charsmap.slice(0, 400), 'its precompiled_charsmap is damaged'],
    [7, 'its precompiled_charsmap is not a string'],
  ])('is refused where it is %j', (map, why) => {
    const path = unigram(precompiled(map), ['a']);
    expect(failure('tokenizer', () => loadTokenizer(path))).toContain(`${path} cannot be used: ${why}`);
  });

  it('ends, whatever it holds', () => {
    const bytes = Buffer.from(charsmap, 'base64');
    for (let at = 4; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] ^= 1 << (at % 8);
      expect(typeof CharsMap.parse(damaged.toString('base64')).normalize('xa\u0301 日\u200b')).toBe('string');
    }
  });
});

describe('lower case', () => {
  it.each([
    [{ type: 'Lowercase' }, 'σοφοσ'],
    [{ type: 'BertNormalizer', clean_text: true, lowercase: true, strip_accents: null }, 'σοφοσ'],
    [{ type: 'BertNormalizer', clean_text: true, lowercase: false, strip_accents: null }, 'ΣΟΦΟΣ'],
  ])('has one sigma, as in tokenizers: %j', (normalizer, word) =>
    expect(loadTokenizer(unigram(normalizer, [word])).encode('ΣΟΦΟΣ', 9).ids).toEqual([1]),
  );
});

describe('BERT', () => {
  it.each([
    [true, ['a', '𠀀', 'b']],
    [false, ['a𠀀b']],
  ])('sets Chinese characters beyond 16 bits apart if it is to: %s', (handle_chinese_chars, words) => {
    const normalizer = { type: 'BertNormalizer', clean_text: true, handle_chinese_chars, lowercase: true };
    const path = unigram(normalizer, [' ', ...words]);
    const spaced = handle_chinese_chars ? [2, 1, 3, 1, 4] : [2];
    expect(loadTokenizer(path).encode('A𠀀b', 9).ids).toEqual(spaced);
  });
});
