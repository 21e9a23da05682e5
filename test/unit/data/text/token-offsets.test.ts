import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tokenOffsets } from '../../../../src/data/text/token-offsets';
import { loadTokenizer } from '../../../../src/data/text/tokenizer';
import { tokenInText } from '../../../../src/protocol/activation-examples';

const tokenizer = (name: string) => loadTokenizer(join('test/fixtures/data', name, 'tokenizer.json'));
const words = (text: string, name: string) => {
  const t = tokenizer(name);
  const pieces = t.encode(text, 64).ids.map((id) => t.piece(id));
  return tokenOffsets(text, pieces).map((span) => span && text.slice(...span));
};

describe('the places of tokens in the text', () => {
  it('are found for word pieces, whatever their case and accents', () => {
    const found = words('The  Càts played!', 'wordpiece');
    expect(found[0]).toBeUndefined();
    expect(found.at(-1)).toBeUndefined();
    expect(found.filter((w) => w !== undefined).join('')).toBe('TheCàtsplayed!');
  });

  it('put the second of two equal words after the first', () => {
    expect(tokenOffsets('go go', ['go', 'go'])).toEqual([
      [0, 2],
      [3, 5],
    ]);
  });

  it('give an unknown token the text between its neighbors', () => {
    expect(tokenOffsets('the ☃☃ played', ['the', '[UNK]', 'played'])).toEqual([
      [0, 3],
      [4, 6],
      [7, 13],
    ]);
    expect(tokenOffsets('the ☃☃ and so on', ['the', '[UNK]'])[1]).toEqual([4, 6]);
  });

  it('cover every letter of a text that a Unigram tokenizer encodes without unknowns', () => {
    const text = 'played the cats';
    expect(words(text, 'unigram').filter(Boolean).join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
  });

  it('show a token in its text, or as its piece if the place is unknown', () => {
    const row = { line: 1, ids: [5, 6], text: 'the cat', offsets: [0, 3, 4, 7], pieces: ['the', 'cat'] };
    expect(tokenInText(row, 1)).toEqual({ before: 'the ', token: 'cat', after: '' });
    expect(tokenInText({ ...row, offsets: [0, 3, -1, -1] }, 1)).toEqual({
      before: 'the ',
      token: 'cat',
      after: '',
    });
    expect(tokenInText({ line: 1, ids: [5] }, 0).token).toBe('');
  });
});
