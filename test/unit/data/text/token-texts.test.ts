import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tokenTexts } from '../../../../src/data/text/token-texts';
import { loadTokenizer } from '../../../../src/data/text/tokenizer';

const ROOT = join(import.meta.dirname, '../../../..');
const WORD_PIECE = 'test/fixtures/data/wordpiece';
const SENTENCE_PIECE = 'test/fixtures/data/unigram';
const BYTES = 'demo/models/debian-llama';

const fixture = (folder: string) => loadTokenizer(join(ROOT, folder, 'tokenizer.json'));

const textsOf = (name: string, text: string): (string | undefined)[] => {
  const tokenizer = fixture(name);
  const { ids } = tokenizer.encode(text, 100);
  return tokenTexts(ids, (part) => tokenizer.decodeAll(part));
};

describe('the texts of tokens', () => {
  it('have the spaces before words, and special tokens by their names', () => {
    expect(textsOf(WORD_PIECE, 'the cats playing')).toEqual([
      '[CLS]',
      ' the',
      ' cats',
      ' play',
      'ing',
      ' [SEP]',
    ]);
  });

  it('have the spaces that SentencePiece keeps in its tokens', () => {
    expect(textsOf(SENTENCE_PIECE, 'hello worlds')).toEqual(['hello', ' world', 's', '</s>']);
  });

  it('are the text itself, with one text for the bytes of a character', () => {
    const text = 'a é\n日本 🙂 b';
    const texts = textsOf(BYTES, text).slice(1);
    expect(texts.filter((t) => t !== undefined).join('')).toBe(text);
    expect(texts.filter((t) => t !== undefined)).toContain('🙂');
  });

  it('show bytes that are no character each alone', () => {
    const tokenizer = fixture(BYTES);
    const ids = tokenizer.encodeBare('🙂');
    expect(ids.length).toBeGreaterThan(1);
    const broken = tokenTexts([ids[0]!, ids[0]!], (part) => tokenizer.decodeAll(part));
    expect(broken).toEqual(['\ufffd', '\ufffd']);
  });

  it('are none for no tokens', () => {
    expect(tokenTexts([], (part) => fixture(BYTES).decodeAll(part))).toEqual([]);
  });
});
