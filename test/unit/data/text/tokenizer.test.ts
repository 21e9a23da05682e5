import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkVocabulary, loadTokenizer, type Tokenizer } from '../../../../src/data/text/tokenizer';
import { failure, temporaryFolder } from '../support';

const fixture = (kind: string): string =>
  join(import.meta.dirname, '../../../fixtures/data', kind, 'tokenizer.json');
const wordpiece = loadTokenizer(fixture('wordpiece'));
const unigram = loadTokenizer(fixture('unigram'));
const folder = temporaryFolder();

/** A tokenizer.json based on the WordPiece fixture, with some sections replaced. */
function variant(sections: object): string {
  const json = JSON.parse(readFileSync(fixture('wordpiece'), 'utf8')) as object;
  return folder.write('tokenizer.json', JSON.stringify({ ...json, ...sections }));
}

describe('encode', () => {
  it.each([
    ['The cats, playing!', [2, 5, 7, 17, 8, 9, 16, 3]],
    ['unaffable Café\n日本 dog', [2, 11, 12, 13, 20, 18, 19, 1, 3]],
    ['[MASK] played.', [2, 4, 8, 10, 15, 3]],
    ['the[SEP]cat', [2, 5, 3, 6, 3]],
  ])("matches BERT's WordPiece: %s", (text, ids) => {
    expect(wordpiece.encode(text, 64)).toEqual({ ids, typeIds: ids.map(() => 0), truncated: false });
  });

  it.each([
    ['hello world', [3, 7, 11]],
    ['hellos', [3, 10, 11]],
    ['he old', [2, 1, 9, 6, 11]],
    ['ｈｅ xyz', [2, 1, 0, 11]],
  ])('follows the best Unigram path after NFKC, with adjacent unknowns fused: %s', (text, ids) => {
    expect(unigram.encode(text, 64).ids).toEqual(ids);
  });

  it('keeps the special tokens of a truncated text', () => {
    expect(wordpiece.encode('the cats, playing!', 5)).toEqual({
      ids: [2, 5, 7, 17, 3],
      typeIds: [0, 0, 0, 0, 0],
      truncated: true,
    });
    expect(unigram.encode('hello world', 2)).toMatchObject({ ids: [3, 11], truncated: true });
    const fromLeft = loadTokenizer(variant({ truncation: { direction: 'Left' } }));
    expect(fromLeft.encode('the cats, playing!', 5).ids).toEqual([2, 8, 9, 16, 3]);
  });

  it('truncates exactly at the maximum length', () => {
    const words = fc.array(fc.constantFrom('the', 'cats', 'played', '!', 'dog'), { maxLength: 12 });
    fc.assert(
      fc.property(words, fc.integer({ min: 3, max: 30 }), (text, maxLength) => {
        const whole = wordpiece.encode(text.join(' '), 1000).ids;
        const { ids, truncated } = wordpiece.encode(text.join(' '), maxLength);
        expect(truncated).toBe(whole.length > maxLength);
        expect(ids).toEqual(truncated ? [...whole.slice(0, maxLength - 1), 3] : whole);
      }),
      { seed: 1 },
    );
  });

  it.each([wordpiece, unigram])(
    'gives a long text the ids of the full encoding, truncated, whatever its length',
    (tokenizer) => {
      const word = fc.constantFrom(
        'hello',
        'world',
        'the',
        'cats',
        'playing',
        'hellos,',
        '日本',
        '  ',
        'x'.repeat(30),
      );
      const long = fc.array(word, { minLength: 100, maxLength: 400 });
      fc.assert(
        fc.property(long, fc.integer({ min: 4, max: 20 }), (words, maxLength) => {
          const text = words.join(' ');
          const whole = tokenizer.encode(text, 1_000_000);
          expect(whole.truncated).toBe(false);
          const expected = [...whole.ids.slice(0, maxLength - 1), whole.ids.at(-1)];
          expect(tokenizer.encode(text, maxLength)).toMatchObject({ ids: expected, truncated: true });
        }),
        { seed: 1, numRuns: 40 },
      );
      const book = tokenizer.encode('hello world '.repeat(200_000), 64);
      expect([book.ids.length, book.truncated]).toEqual([64, true]);
    },
  );

  it('reads a word of any length whole', () => {
    expect(unigram.encode('l'.repeat(150_000), 1_000_000).ids.length).toBe(150_002);
  });

  it('rejects a maximum length without room for text, and a token without an id', () => {
    expect(failure('tokenizer', () => wordpiece.encode('the', 2))).toContain(
      'model.maxLength is 2, but 2 of it go to special tokens. | Set model.maxLength to 3',
    );
    const model = { type: 'Unigram', unk_id: null, vocab: [['a', -1]] };
    const noUnknown = loadTokenizer(variant({ model, added_tokens: [], post_processor: null }));
    expect(failure('tokenizer', () => noUnknown.encode('z', 9))).toContain('"z" is not in the vocabulary');
  });
});

it("warns of RoFormer's tokenizer, whose file lacks a part", () => {
  folder.write('tokenizer_config.json', JSON.stringify({ tokenizer_class: 'RoFormerTokenizer' }));
  expect(loadTokenizer(variant({})).warnings.join()).toMatch(/tokenizer\.json: .* Chinese texts with jieba/);
  folder.write('tokenizer_config.json', '{}');
  expect(loadTokenizer(variant({})).warnings).toEqual([]);
});

describe('padId', () => {
  const noPad = {
    added_tokens: [],
    post_processor: null,
    model: { type: 'WordPiece', unk_token: '?', vocab: { '?': 0, a: 1, blank: 2 } },
  };
  const load = (sections: object, tokenizerConfig: object, modelConfig: object): Tokenizer => {
    folder.write('tokenizer_config.json', JSON.stringify(tokenizerConfig));
    folder.write('config.json', JSON.stringify(modelConfig));
    return loadTokenizer(variant(sections));
  };

  it.each([
    ['the padding section', { padding: { pad_id: 4 } }, { pad_token: '[SEP]' }, { pad_token_id: 5 }, 4],
    ['the token in pad_token', {}, { pad_token: '[SEP]' }, { pad_token_id: 5 }, 3],
    ['a pad_token that is an object', {}, { pad_token: { content: '[MASK]' } }, {}, 4],
    ["the model's configuration", {}, { pad_token: 'none such' }, { pad_token_id: 5 }, 5],
    ['a token named [PAD]', {}, { pad_token: null }, { pad_token_id: -1 }, 0],
    ['a name that only this vocabulary has', noPad, { pad_token: 'blank' }, {}, 2],
  ])('is taken from %s', (_, sections, tokenizerConfig, modelConfig, expected) => {
    expect(load(sections, tokenizerConfig, modelConfig)).toMatchObject({ padId: expected, warnings: [] });
  });

  it('is <pad> for the Unigram tokenizer, and 0 with a warning if nothing specifies it', () => {
    expect(unigram.padId).toBe(12);
    const { padId, warnings } = load(noPad, {}, {});
    expect(padId).toBe(0);
    expect(warnings.join()).toContain('names no padding token');
  });
});

describe('unusable tokenizer files', () => {
  it.each([
    ['not JSON', '{"model":', 'is not valid JSON'],
    ['not an object', '[]', 'is not a JSON object'],
    ['a different file', '{"tokenizer_class":"BertTokenizer"}', 'has no model with a vocabulary'],
    [
      'an unsupported model type',
      '{"model":{"type":"WordLevel","vocab":{}}}',
      '"WordLevel" is not supported',
    ],
    [
      'an unsupported part',
      '{"model":{"type":"BPE","vocab":{},"merges":[]},"normalizer":{"type":"Nmt"}}',
      'Unknown Normalizer type: Nmt',
    ],
  ])('%s', (_, content, message) => {
    const path = folder.write('broken.json', content);
    const text = failure('tokenizer', () => loadTokenizer(path));
    expect(text).toContain(`${path}`);
    expect(text).toContain(message);
  });

  it('include a missing file', () => {
    expect(failure('tokenizer', () => loadTokenizer(`${folder.path}/none.json`))).toMatch(
      /none\.json does not exist\. \| Put the model's tokenizer\.json \(or its vocab\.txt/,
    );
  });
});

describe('checkVocabulary', () => {
  it("compares the largest id, added tokens included, with the embedding's rows", () => {
    expect([wordpiece.vocabSize, unigram.vocabSize]).toEqual([21, 13]);
    checkVocabulary(wordpiece, 21, 'model.onnx');
    expect(failure('vocabulary', () => checkVocabulary(wordpiece, 20, 'model.onnx'))).toContain(
      'token ids up to 20, but the embedding of model.onnx has 20 rows',
    );
    const added = [{ id: 30, content: '<new>', special: true }];
    expect(loadTokenizer(variant({ added_tokens: added })).vocabSize).toBe(31);
  });
});
