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

describe('where tokens lie in the text', () => {
  it('finds word pieces, whatever case and accents they had', () => {
    const found = words('The  Càts played!', 'wordpiece');
    expect(found[0]).toBeUndefined();
    expect(found.at(-1)).toBeUndefined();
    expect(found.filter((w) => w !== undefined).join('')).toBe('TheCàtsplayed!');
  });

  it('finds the second of two equal words behind the first', () => {
    expect(tokenOffsets('go go', ['go', 'go'])).toEqual([
      [0, 2],
      [3, 5],
    ]);
  });

  it('gives an unknown word what its neighbours leave', () => {
    expect(tokenOffsets('the ☃☃ played', ['the', '[UNK]', 'played'])).toEqual([
      [0, 3],
      [4, 6],
      [7, 13],
    ]);
    expect(tokenOffsets('the ☃☃ and so on', ['the', '[UNK]'])[1]).toEqual([4, 6]);
  });

  it('covers every letter of a text that a Unigram tokenizer knows', () => {
    const text = 'played the cats';
    expect(words(text, 'unigram').filter(Boolean).join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
  });

  it('shows a token with its text, and by its pieces where the place is not known', () => {
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
