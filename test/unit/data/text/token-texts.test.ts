import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tokenTexts } from '../../../../src/data/text/token-texts';
import { loadTokenizer } from '../../../../src/data/text/tokenizer';

const fixture = (name: string) => loadTokenizer(join(import.meta.dirname, '../../../fixtures', name, 'tokenizer.json'));

const textsOf = (name: string, text: string): (string | undefined)[] => {
  const tokenizer = fixture(name);
  const { ids } = tokenizer.encode(text, 100);
  return tokenTexts(ids, (part) => tokenizer.decodeAll(part));
};

describe('the texts of tokens', () => {
  it('have the spaces before words, and special tokens by their names', () => {
    expect(textsOf('data/wordpiece', 'the cats playing')).toEqual([
      '[CLS]',
      ' the',
      ' cats',
      ' play',
      'ing',
      ' [SEP]',
    ]);
  });

  it('are the text itself, with one text for the bytes of a character', () => {
    const text = 'a é\n日本 🙂 b';
    const texts = textsOf('playground/language', text);
    expect(texts.filter((t) => t !== undefined).join('')).toBe(text);
    expect(texts.filter((t) => t !== undefined)).toContain('🙂');
  });

  it('show bytes that are no character each alone', () => {
    const tokenizer = fixture('playground/language');
    const { ids } = tokenizer.encode('é', 10);
    expect(ids).toHaveLength(2);
    expect(tokenTexts([ids[0]!, ids[0]!], (part) => tokenizer.decodeAll(part))).toEqual(['\ufffd', '\ufffd']);
  });

  it('are none for no tokens', () => {
    expect(textsOf('playground/language', '')).toEqual([]);
  });
});
