import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Tokenizer as RustTokenizer } from 'tokenizers';
import { beforeEach, describe, expect, it } from 'vitest';
import { AuroraError } from '../../../../src/base/errors';
import { loadTokenizer, type Encoding } from '../../../../src/data/text/tokenizer';
import { readTokenizerFiles, tokenizerSum } from '../../../../src/data/text/tokenizer-files';
import { tokenizerBeside } from '../../../../src/files/tokenizer-path';
import { PAIRS, TEXTS } from '../../../tokenizers/texts';
import { failure, temporaryFolder } from '../support';

const FIXTURES = join(import.meta.dirname, '../../../fixtures/vocabularies');

interface Tokens {
  ids: number[];
  types: number[];
}

interface Expected {
  texts: string[];
  pairs: [string, string][];
  lengths: number[];
  tokenizers: Record<
    string,
    {
      special: Record<string, string | null>;
      texts: number[][];
      pairs: Tokens[];
      cut: number[][];
      decoded: string;
    }
  >;
}

const { texts, pairs, lengths, tokenizers } = JSON.parse(
  readFileSync(join(FIXTURES, 'expected.json'), 'utf8'),
) as Expected;

const WHOLE = 100_000;
const pathOf = (name: string): string => tokenizerBeside(join(FIXTURES, name, 'config.json'));
const ours = ({ ids, typeIds = ids.map(() => 0) }: Encoding): Tokens => ({ ids, types: typeIds });

describe.each(Object.entries(tokenizers))('the older files of the tokenizer %s', (name, expected) => {
  const tokenizer = loadTokenizer(pathOf(name));

  it.each(texts.map((text, i) => [text, i] as const))('have the tokens of transformers for %j', (text, i) => {
    expect(tokenizer.encode(text, WHOLE).ids).toEqual(expected.texts[i]);
  });

  it('have its pairs, its cut texts and its special tokens', () => {
    expect(pairs.map(([first, second]) => ours(tokenizer.encodePair(first, second, WHOLE)))).toEqual(
      expected.pairs,
    );
    expect(lengths.map((length) => tokenizer.encode(texts[0]!, length).ids)).toEqual(expected.cut);
    const { pad_token: pad, eos_token: eos, mask_token: mask } = expected.special;
    if (pad !== null) expect(tokenizer.padId).toBe(tokenizer.idOf(pad!));
    expect(tokenizer.endId).toBe(eos === null ? undefined : tokenizer.idOf(eos!));
    expect(tokenizer.maskToken ?? null).toBe(mask);
  });

  it('become a tokenizer.json that tokenizers reads in the same way, in ten writing systems', async () => {
    const rust = RustTokenizer.fromString(JSON.stringify(readTokenizerFiles(pathOf(name)).tokenizer));
    for (const text of TEXTS.slice(0, 100))
      expect(tokenizer.encode(text, WHOLE).ids).toEqual((await rust.encode(text)).getIds());
    for (const [first, second] of PAIRS.slice(0, 20))
      expect(tokenizer.encodePair(first, second, WHOLE).ids).toEqual(
        (await rust.encode(first, second)).getIds(),
      );
  });
});

describe('a folder without tokenizer.json', () => {
  const folder = temporaryFolder();
  const path = (name: string) => join(folder.path, name);
  const use = (name: string) => cpSync(dirname(pathOf(name)), folder.path, { recursive: true });
  const write = (name: string, value: unknown) =>
    writeFileSync(path(name), typeof value === 'string' ? value : JSON.stringify(value));
  const refusal = (file: string) => failure('tokenizer', () => loadTokenizer(path(file)));
  beforeEach(() => {
    rmSync(folder.path, { recursive: true, force: true });
  });

  it('counts every file in the sum of its tokenizer', () => {
    use('bert-cased');
    const sums = new Set([tokenizerSum(path('vocab.txt'))]);
    for (const name of [
      'special_tokens_map.json',
      'added_tokens.json',
      'tokenizer_config.json',
      'vocab.txt',
    ]) {
      rmSync(path(name));
      sums.add(tokenizerSum(path('vocab.txt')));
    }
    expect(sums.size).toBe(5);
  });

  it('lets tokenizer_config.json name the class before config.json, and its files count whichever vocabulary is named', () => {
    use('ernie');
    use('roberta');
    expect(tokenizerBeside(path('config.json'))).toBe(path('vocab.txt'));
    const words = loadTokenizer(path('vocab.txt')).encode('Hello', 99).ids;
    expect(words).toEqual(loadTokenizer(pathOf('roberta')).encode('Hello', 99).ids);
    write('tokenizer_config.json', { tokenizer_class: 'ElectraTokenizerFast' });
    expect(loadTokenizer(path('vocab.json')).encode('Hello', 99).ids).toEqual(
      loadTokenizer(pathOf('ernie')).encode('Hello', 99).ids,
    );
  });

  it('ignores special_tokens_map.json where tokenizer_config.json has the tokens by id', () => {
    use('phi');
    write('special_tokens_map.json', { pad_token: 'Ġthe' });
    expect(loadTokenizer(path('vocab.json')).padId).toBe(0);
    const config = JSON.parse(readFileSync(path('tokenizer_config.json'), 'utf8')) as Record<string, unknown>;
    delete config.added_tokens_decoder;
    write('tokenizer_config.json', config);
    const tokenizer = loadTokenizer(path('vocab.json'));
    expect(tokenizer.padId).toBe(tokenizer.idOf('Ġthe'));
  });

  it('reads lines that end as on Windows, and a line break as no token', () => {
    use('ernie');
    const lines = readFileSync(path('vocab.txt'), 'utf8');
    const before = loadTokenizer(path('vocab.txt')).vocabSize;
    write('vocab.txt', lines.replaceAll('\n', '\r\n'));
    expect(loadTokenizer(path('vocab.txt')).vocabSize).toBe(before);
    expect(loadTokenizer(path('vocab.txt')).encode('hello', 9)).toEqual(
      loadTokenizer(pathOf('ernie')).encode('hello', 9),
    );
  });

  it.each<[string, string, Record<string, unknown>, RegExp]>([
    [
      'ernie',
      'tokenizer_config.json',
      { tokenizer_class: 'BertJapaneseTokenizer' },
      /BertJapaneseTokenizer, which is read from a tokenizer\.json only/,
    ],
    [
      'ernie',
      'config.json',
      { model_type: 'roformer' },
      /RoFormerTokenizer divides texts into the words of the Chinese dictionary of jieba/,
    ],
    ['ernie', 'config.json', { model_type: 'falcon' }, /models of the type falcon have no usual one/],
    [
      'ernie',
      'config.json',
      {},
      /neither tokenizer_config\.json beside it \(tokenizer_class\) nor config\.json/,
    ],
    ['ernie', 'config.json', { model_type: 'gpt2' }, /GPT2Tokenizer, whose vocabulary is in vocab\.json/],
    [
      'ernie',
      'tokenizer_config.json',
      { do_lower_case: 'yes' },
      /do_lower_case "yes", which is neither true nor false/,
    ],
    [
      'ernie',
      'tokenizer_config.json',
      { do_basic_tokenize: false },
      /do_basic_tokenize false, which is not supported/,
    ],
    ['ernie', 'tokenizer_config.json', { cls_token: null }, /names no cls_token, which BertTokenizer needs/],
    [
      'ernie',
      'tokenizer_config.json',
      { cls_token: 7 },
      /7 for cls_token of its tokenizer, which is not a token/,
    ],
    [
      'ernie',
      'added_tokens.json',
      { more: 4000 },
      /adds the token "more" with the id 4000, but .* it gets 127/,
    ],
    ['ernie', 'added_tokens.json', { more: 'x' }, /"x" for "more" in added_tokens\.json/],
    ['gpt2', 'tokenizer_config.json', { add_eos_token: true }, /add_eos_token true, which is not supported/],
    ['gpt2', 'vocab.json', { a: -1 }, /gives the token "a" the id -1/],
    ['gpt2', 'vocab.json', { a: 1 }, /merges\.txt: merge 1, .* which is not in vocab\.json/],
  ])('of the tokenizer %s is refused with the %s %j', (name, file, value, message) => {
    use(name);
    write(file, value);
    expect(refusal(name === 'ernie' ? 'vocab.txt' : 'vocab.json')).toMatch(message);
  });

  /** JSON values that replace each member. */
  const WRONG: unknown[] = [
    null,
    true,
    -1,
    1.5,
    '',
    'x',
    [],
    [null],
    [[]],
    {},
    { toString: 1 },
    { content: 7 },
    { content: '' },
  ];

  it.each(['bert-cased', 'opt', 'qwen2'])(
    'of the tokenizer %s with any member of its files changed is refused with its path, or gives ids of its vocabulary',
    (name) => {
      use(name);
      const file = pathOf(name).replace(/^.*[\\/]/, '');
      for (const config of ['tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json']) {
        if (!existsSync(path(config))) continue;
        const written = JSON.parse(readFileSync(path(config), 'utf8')) as Record<string, unknown>;
        for (const [changed] of changes(written)) {
          write(config, changed);
          try {
            const tokenizer = loadTokenizer(path(file));
            const { ids } = tokenizer.encode('a [MASK] <|im_end|> 今 x', 99);
            expect(ids.every((id) => id >= 0 && id < tokenizer.vocabSize)).toBe(true);
          } catch (e) {
            if (!(e instanceof AuroraError)) throw e;
            expect(`${e.message} ${e.hint ?? ''}`).toContain(folder.path);
          }
        }
        write(config, written);
      }
    },
  );

  /** The object with one member removed or replaced, also within members. */
  function* changes(value: Record<string, unknown>): Generator<[Record<string, unknown>]> {
    for (const [key, member] of Object.entries(value)) {
      yield [Object.fromEntries(Object.entries(value).filter(([other]) => other !== key))];
      for (const wrong of WRONG) yield [{ ...value, [key]: wrong }];
      if (typeof member === 'object' && member !== null && !Array.isArray(member))
        for (const [changed] of changes(member as Record<string, unknown>))
          yield [{ ...value, [key]: changed }];
    }
  }

  it('is refused without merges, and without the special tokens that it needs', () => {
    use('gpt2');
    rmSync(path('merges.txt'));
    expect(refusal('vocab.json')).toContain('merges.txt cannot be read');
    rmSync(folder.path, { recursive: true });
    use('ernie');
    write('vocab.txt', 'a\nb\n');
    expect(refusal('vocab.txt')).toContain('vocab.txt has no id for "[UNK]", the unk_token of BertTokenizer');
  });

  it('is refused with a model of SentencePiece, and leads to a tokenizer.json', () => {
    use('ernie');
    rmSync(path('vocab.txt'));
    write('spiece.model', '');
    expect(refusal('tokenizer.json')).toMatch(
      /tokenizer\.json does not exist, and spiece\.model beside it is a model of SentencePiece/,
    );
    try {
      loadTokenizer(path('tokenizer.json'));
    } catch (e) {
      expect((e as { hint: string }).hint).toContain(
        'AutoTokenizer.from_pretrained("FOLDER").save_pretrained',
      );
    }
  });
});
