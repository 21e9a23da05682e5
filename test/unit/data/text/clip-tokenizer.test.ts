import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadPromptTokenizer } from '../../../../src/data/text/prompt-tokenizer';
import { loadTokenizer } from '../../../../src/data/text/tokenizer';
import { tokenizerSum } from '../../../../src/data/text/tokenizer-files';
import { failure, temporaryFolder } from '../support';

const pipeline = (name: string) => join(import.meta.dirname, '../../../fixtures/diffusers', name);
const SD = join(pipeline('sd/tokenizer'), 'vocab.json');
const SECOND = join(pipeline('sdxl/tokenizer_2'), 'vocab.json');

/** OpenAI's SimpleTokenizer, written from its description: byte-level BPE within words, each of which ends in "</w>". */
function simpleTokenizer(vocabPath: string): (text: string) => number[] {
  const vocab = JSON.parse(readFileSync(vocabPath, 'utf8')) as Record<string, number>;
  const merges = readFileSync(join(vocabPath, '../merges.txt'), 'utf8').trim().split('\n').slice(1);
  const rank = new Map(merges.map((merge, i) => [merge, i]));
  const characters = byteCharacters();
  const split = (word: string): string[] => {
    let parts = [...Buffer.from(word, 'utf8')].map((byte) => characters[byte]!);
    parts[parts.length - 1] += '</w>';
    for (;;) {
      const pairs = parts.slice(1).map((part, i) => rank.get(`${parts[i]} ${part}`) ?? Infinity);
      const best = Math.min(...pairs);
      if (best === Infinity) return parts;
      const merged: string[] = [];
      for (let i = 0; i < parts.length; i++)
        if (pairs[i] === best && i + 1 < parts.length) merged.push(parts[i]! + parts[++i]!);
        else merged.push(parts[i]!);
      parts = merged;
    }
  };
  const words = /'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+/gu;
  return (text) => [
    vocab['<|startoftext|>']!,
    ...(text.normalize('NFC').toLowerCase().match(words) ?? []).flatMap(split).map((part) => vocab[part]!),
    vocab['<|endoftext|>']!,
  ];
}

/** GPT-2's: the printable bytes stand for themselves, the others follow from 256 on. */
function byteCharacters(): string[] {
  let next = 256;
  const plain = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b !== 173);
  return Array.from({ length: 256 }, (_, b) => String.fromCharCode(plain(b) ? b : next++));
}

describe('a CLIP tokenizer from vocab.json and merges.txt', () => {
  const tokenizer = loadTokenizer(SD);
  const expected = simpleTokenizer(SD);

  it.each([
    'a photo of a dog',
    'A  Photo\tof\na DOG!',
    "it's the dog's 12 bags, isn't it?",
    "''s... 'S we'LL",
    'café, cafe\u0301, ÀÉ',
    '日本 の犬 🐕🐕',
    '',
    '   ',
  ])('reads %j as OpenAI’s own', (text) => {
    expect(tokenizer.encode(text, 1000).ids).toEqual(expected(text));
  });

  it('reads any text as OpenAI’s own', () => {
    const letters = fc.constantFrom(...'aA bcdogph\'"!?.-_<|>0123 éßñ語ж🐕\n');
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 40 }), (parts) => {
        const text = parts.join('');
        expect(tokenizer.encode(text, 1000).ids).toEqual(expected(text));
      }),
      { numRuns: 300 },
    );
  });

  it('keeps the end of a text that is cut, and pads with the end', () => {
    const { ids, truncated } = tokenizer.encode('dog '.repeat(200), 77);
    const end = tokenizer.idOf('<|endoftext|>')!;
    expect(truncated).toBe(true);
    expect(ids).toHaveLength(77);
    expect(ids.at(-1)).toBe(end);
    expect(ids[75]).not.toBe(end);
    expect(tokenizer.padId).toBe(end);
    expect(tokenizer.endId).toBe(end);
  });

  it('pads with another token where the files name one, which is special wherever it stands', () => {
    const second = loadTokenizer(SECOND);
    const pad = second.idOf('!')!;
    expect(second.padId).toBe(pad);
    // As transformers: not the "!</w>" that ends a word.
    expect(second.encode('dog!', 77).ids.at(-2)).toBe(pad);
    expect(tokenizer.encode('dog!', 77).ids.at(-2)).toBe(tokenizer.idOf('!</w>'));
  });

  it('reads special tokens in a text as such, and writes words apart', () => {
    const [start, end] = ['<|startoftext|>', '<|endoftext|>'].map((token) => tokenizer.idOf(token)!);
    const { ids } = tokenizer.encode('a<|endoftext|>b', 77);
    expect(ids).toEqual([start, tokenizer.idOf('a</w>'), end, tokenizer.idOf('b</w>'), end]);
    expect(tokenizer.decode(tokenizer.encode('A photo of 2 dogs', 77).ids).trim()).toBe('a photo of 2 dogs');
    expect(tokenizer.piece(tokenizer.idOf('a</w>')!)).toBe('a');
  });
});

describe('prompts of a pipeline', () => {
  it('have the length that a text encoder reads', () => {
    const { encode, length, padId } = loadPromptTokenizer(pipeline('sd/tokenizer'), 77);
    expect(length).toBe(77);
    const { ids, truncated } = encode('a dog');
    expect(truncated).toBe(false);
    expect([...ids]).toEqual(
      [...simpleTokenizer(SD)('a dog'), ...new Array<number>(77).fill(padId)].slice(0, 77),
    );
    expect(encode('dog '.repeat(100))).toMatchObject({ truncated: true });
    expect(loadPromptTokenizer(pipeline('sdxl/tokenizer_2'), 77).encode('a').ids.at(-1)).toBe(0);
  });

  it('have at most the positions of the text encoder', () => {
    expect(loadPromptTokenizer(pipeline('sd/tokenizer'), 16).encode('a dog').ids).toHaveLength(16);
  });

  it('need one of the two forms of a tokenizer', () => {
    expect(failure('tokenizer', () => loadPromptTokenizer(pipeline('sd/vae'), 77))).toContain(
      'has neither vocab.json and merges.txt nor tokenizer.json',
    );
  });
});

describe('the files of a CLIP tokenizer', () => {
  const folder = temporaryFolder();
  const vocab = () => join(folder.path, 'vocab.json');
  beforeEach(() => cpSync(pipeline('sd/tokenizer'), folder.path, { recursive: true }));

  it('are all part of its sum', () => {
    const before = tokenizerSum(vocab());
    writeFileSync(join(folder.path, 'merges.txt'), '#version: 0.2\nd o\n');
    expect(tokenizerSum(vocab())).not.toBe(before);
    expect(loadTokenizer(vocab()).encode('do', 77).ids).toHaveLength(4);
  });

  it('may add tokens, such as those of textual inversion', () => {
    const id = loadTokenizer(vocab()).vocabSize;
    writeFileSync(join(folder.path, 'added_tokens.json'), JSON.stringify({ '<cat-toy>': id }));
    expect(loadTokenizer(vocab()).encode('a <cat-toy>', 77).ids).toContain(id);
  });

  it.each([
    ['without merges', () => rmSync(join(folder.path, 'merges.txt')), 'merges.txt cannot be read'],
    [
      'with damaged merges',
      () => writeFileSync(join(folder.path, 'merges.txt'), '#version: 0.2\na b\nabc\n'),
      'merges.txt: merge 2, "abc", is not a pair',
    ],
    [
      'without its special tokens',
      () => {
        rmSync(join(folder.path, 'added_tokens.json'), { force: true });
        writeFileSync(vocab(), '{"a": 0}');
        writeFileSync(join(folder.path, 'merges.txt'), '#version: 0.2\n');
      },
      'has no id for "<|endoftext|>"',
    ],
    [
      'of another class',
      () =>
        writeFileSync(join(folder.path, 'tokenizer_config.json'), '{"tokenizer_class": "WhisperTokenizer"}'),
      'the tokenizer of this folder is WhisperTokenizer',
    ],
  ])('are refused %s', (_, damage, message) => {
    damage();
    expect(failure('tokenizer', () => loadTokenizer(vocab()))).toContain(message);
  });
});
