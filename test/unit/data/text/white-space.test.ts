import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../../../src/data/text/tokenizer';
import { temporaryFolder } from '../support';

const { write } = temporaryFolder();

/** The words of a text between which a pre-tokenizer splits, each of which is a token. */
function words(parts: object, text: string, vocab: string[]): string[] {
  const file = JSON.stringify({
    added_tokens: [],
    ...parts,
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(['[UNK]', ...vocab].map((word, i) => [word, i])),
    },
  });
  const tokenizer = loadTokenizer(write('tokenizer.json', file));
  return tokenizer.encodeBare(text).map((id) => ['[UNK]', ...vocab][id]);
}

const splitting = (type: string) => ({ pre_tokenizer: { type } });

describe('white space, as Rust has it', () => {
  it.each(['WhitespaceSplit', 'BertPreTokenizer', 'Whitespace'])('has U+0085, at which %s splits', (type) => {
    expect(words(splitting(type), 'a\u0085b\u2028c', ['a', 'b', 'c'])).toEqual(['a', 'b', 'c']);
    const both = { pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type }] } };
    expect(words(both, 'a\u0085b', ['a', 'b'])).toEqual(['a', 'b']);
  });

  it('has no U+FEFF, at which WhitespaceSplit and BertPreTokenizer do not split', () => {
    for (const type of ['WhitespaceSplit', 'BertPreTokenizer'])
      expect(words(splitting(type), 'a\ufeffb \ufeff', ['a\ufeffb', '\ufeff'])).toEqual([
        'a\ufeffb',
        '\ufeff',
      ]);
  });

  it('ends words of byte-level tokenizers', () => {
    // Bytes C2 85 as the characters that stand for them.
    const next = '\u00c2\u0127';
    const vocab = ['a', `!`, `${next}${next}`, next, 'b'];
    expect(words(splitting('ByteLevel'), 'a!\u0085\u0085b', vocab)).toEqual(['a', '!', next, next, 'b']);
  });

  it('is stripped by a normalizer', () => {
    const strip = (left: boolean, right: boolean) => ({
      normalizer: { type: 'Strip', strip_left: left, strip_right: right },
      pre_tokenizer: null,
    });
    expect(words(strip(true, true), '\u0085 a\u0085', ['a'])).toEqual(['a']);
    expect(words(strip(true, false), '\u0085a\ufeff', ['a\ufeff'])).toEqual(['a\ufeff']);
    expect(words(strip(false, true), '\ufeffa\u0085', ['\ufeffa'])).toEqual(['\ufeffa']);
  });

  it.each([true, false])('is stripped around an added token (normalized: %s)', (normalized) => {
    const added = (lstrip: boolean, rstrip: boolean) => ({
      added_tokens: [
        { id: 1, content: '<x>', lstrip, rstrip, normalized, single_word: false, special: false },
      ],
      normalizer: { type: 'NFC' },
      pre_tokenizer: null,
    });
    const both = 'a\u0085 <x>\u2028\u0085b';
    expect(words(added(true, true), both, ['<x>', 'a', 'b'])).toEqual(['a', '<x>', 'b']);
    expect(words(added(true, false), both, ['<x>', 'a', '\u2028\u0085b'])).toEqual([
      'a',
      '<x>',
      '\u2028\u0085b',
    ]);
    expect(words(added(false, true), both, ['<x>', 'a\u0085 ', 'b'])).toEqual(['a\u0085 ', '<x>', 'b']);
    const marks = ['<x>', 'a\ufeff', '\ufeffb'];
    expect(words(added(true, true), 'a\ufeff<x>\ufeffb', marks)).toEqual(['a\ufeff', '<x>', '\ufeffb']);
  });

  it('and punctuation leave words of any script whole', () =>
    expect(words(splitting('Whitespace'), 'café, дом_1!', ['café', ',', 'дом_1', '!'])).toEqual([
      'café',
      ',',
      'дом_1',
      '!',
    ]));
});
