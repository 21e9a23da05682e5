import { expect, it } from 'vitest';
import { AuroraError } from '../../../../src/base/errors';
import { stepsOf } from '../../../../src/data/text/bounded-patterns';
import { loadTokenizer } from '../../../../src/data/text/tokenizer';
import { temporaryFolder } from '../support';

const folder = temporaryFolder();
const Regex = '^(a+)+$';
const HOSTILE = `${'a'.repeat(40)}b`;
const replace = { type: 'Replace', pattern: { Regex }, content: '' };
const split = { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false };
const sequence = (type: string, key: string, part: object) => ({ type: 'Sequence', [key]: [{ type }, part] });

const tokenizer = (parts: object) => {
  const vocab = Object.fromEntries(['a', 'b', HOSTILE, '<unk>'].map((token, id) => [token, id]));
  const model = { type: 'BPE', vocab, merges: [], unk_token: '<unk>' };
  return loadTokenizer(folder.write('tokenizer.json', JSON.stringify({ model, ...parts })));
};

/** The error of an expression that would take longer than the universe has existed. */
function refusal(use: () => unknown): string {
  const began = performance.now();
  let error: unknown;
  try {
    use();
  } catch (e) {
    error = e;
  }
  expect(error).toBeInstanceOf(AuroraError);
  expect(error).toMatchObject({ kind: 'tokenizer' });
  expect(performance.now() - began).toBeLessThan(20_000);
  return (error as AuroraError).message;
}

it.each([
  ['a normalizer', { normalizer: replace }],
  ['a sequence of normalizers', { normalizer: sequence('NFC', 'normalizers', replace) }],
  ['a pre-tokenizer', { pre_tokenizer: split }],
  ['an inverted pre-tokenizer', { pre_tokenizer: { ...split, invert: true } }],
  ['a pre-tokenizer that removes', { pre_tokenizer: { ...split, behavior: 'Removed' } }],
  ['a sequence of pre-tokenizers', { pre_tokenizer: sequence('WhitespaceSplit', 'pretokenizers', split) }],
])('the regular expression of %s is stopped, and the file is named', (_, parts) => {
  const { encodeBare } = tokenizer(parts);
  expect(encodeBare('aaab').join()).toMatch(/^(0,0,0,1)?$/);
  expect(refusal(() => encodeBare(HOSTILE))).toMatch(
    /tokenizer\.json cannot encode the text of 41 characters .* its regular expression "\^\(a\+\)\+\$" takes more than \d+ ms for 41 characters/,
  );
});

it('the regular expression of a decoder is stopped, and the file is named', () => {
  for (const decoder of [replace, sequence('Fuse', 'decoders', replace)]) {
    const { decode } = tokenizer({ decoder });
    expect(decode([1])).toBe('b');
    expect(refusal(() => decode([2]))).toMatch(/tokenizer\.json cannot be used: its regular expression/);
  }
});

it('an expression of a large language model takes few steps for a sentence, and gives the same tokens for a long text', () => {
  const gpt4 =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  expect(stepsOf(gpt4, 40)).toBeLessThan(1e6);
  const { encodeBare } = tokenizer({ pre_tokenizer: { ...split, pattern: { Regex: gpt4 } } });
  const long = 'ab'.repeat(20_000);
  expect(encodeBare(long)).toEqual(Array.from(long, (c) => Number(c === 'b')));
});

it('an upper bound of the steps is infinite where choices multiply', () => {
  for (const source of ['(a+)+$', '(a|a)*b', '(?:a?){50}', '(a)\\1', '(?<x>a)\\k<x>'])
    expect(stepsOf(source, 10), source).toBe(Infinity);
  expect(stepsOf('a', 9)).toBe(10);
  expect(stepsOf('\\p{L}+', 9)).toBe(100);
  expect(stepsOf('p{1,9}', 9)).toBe(100);
  expect(stepsOf('a*a*a*a*a*b', 99)).toBeGreaterThan(1e11);
});
