import { copyFileSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Draw } from '../draw';
import { tokenizerReaders } from '../subjects';
import { deep, HUGE, type Lies, ODD } from './lie';

interface Tokenizer extends Record<string, unknown> {
  model: Record<string, unknown> & { vocab: unknown };
  added_tokens?: Record<string, unknown>[];
}

const tokenizer =
  (change: (draw: Draw, tokenizer: Tokenizer) => string | void) =>
  (draw: Draw, folder: string): void => {
    const from = resolve('test/fixtures/data', draw.pick(['wordpiece', 'unigram']));
    for (const name of readdirSync(from)) copyFileSync(join(from, name), join(folder, name));
    const path = join(folder, 'tokenizer.json');
    const value = JSON.parse(readFileSync(path, 'utf8')) as Tokenizer;
    writeFileSync(path, change(draw, value) ?? JSON.stringify(value));
  };

/** Steps within steps. */
function nested(type: string, list: string, depth: number): unknown {
  let step: unknown = { type: 'Lowercase' };
  for (let i = 0; i < depth; i++) step = { type, [list]: [step] };
  return step;
}

export const tokenizerLies: Lies = {
  name: 'tokenizer.json',
  readers: tokenizerReaders,
  lies: {
    'the number of a token': tokenizer((draw, { model }) => {
      if (!Array.isArray(model.vocab))
        Object.assign(model.vocab as object, { lie: draw.pick([...HUGE, ...ODD]), play: draw.pick(HUGE) }); // prettier-ignore
      else model.unk_id = draw.pick([...HUGE, ...ODD]);
    }),
    'one number for all tokens': tokenizer((_draw, { model }) => {
      if (!Array.isArray(model.vocab)) for (const key of Object.keys(model.vocab as object)) (model.vocab as Record<string, number>)[key] = 7; // prettier-ignore
    }),
    'the number of an added token': tokenizer((draw, t) => {
      t.added_tokens = [...(t.added_tokens ?? []), { id: draw.pick([...HUGE, ...ODD]), content: '<lie>', special: true, single_word: false, lstrip: false, rstrip: false, normalized: false }]; // prettier-ignore
    }),
    'a long token': tokenizer((draw, t) => {
      t.added_tokens = [
        ...(t.added_tokens ?? []),
        { id: 1, content: 't'.repeat(draw.pick([0, 100_000, 2_000_000])) },
      ];
    }),
    scores: tokenizer((draw, { model }) => {
      model.vocab = [
        ['<unk>', 0],
        ['a', draw.pick([1e308, -1e308, null, 'x'])],
        ['a', 1],
        ['', 0],
      ];
      model.type = 'Unigram';
    }),
    merges: tokenizer((draw, { model }) => {
      model.type = 'BPE';
      model.vocab = { a: 0, b: 1, ab: draw.pick(HUGE) };
      model.merges = draw.pick<unknown>([['a b', 'ab ab'], [['a']], ['ab'], new Array(50_000).fill('a b'), {}, ['x'.repeat(100_000)]]); // prettier-ignore
    }),
    'the type of the model': tokenizer((draw, { model }) => {
      model.type = draw.pick<unknown>(['m'.repeat(100_000), 1, {}, 'WordLevel']);
    }),
    'deep normalizers': tokenizer((draw, t) => {
      t.normalizer = nested('Sequence', 'normalizers', draw.pick([10, 500, 2000]));
    }),
    'deep pre-tokenizers': tokenizer((draw, t) => {
      t.pre_tokenizer = nested('Sequence', 'pretokenizers', draw.pick([10, 500, 2000]));
    }),
    'deep JSON': tokenizer(
      (draw) => `{"model":{"vocab":${deep('{"a":', '}', '1', draw.pick([1000, 100_000]))}}}`,
    ),
    'a slow expression': tokenizer((draw, t) => {
      t.pre_tokenizer = { type: 'Split', pattern: { Regex: draw.pick(['(x+x+)+y', '(x|x)*y', '(x{1,1000}){1,1000}y', '['.repeat(1000), 'x'.repeat(100_000)]) }, behavior: 'Isolated', invert: false }; // prettier-ignore
    }),
    'a replacement that grows': tokenizer((_draw, t) => {
      const step = { type: 'Replace', pattern: { String: 'x' }, content: 'x'.repeat(100) };
      t.normalizer = { type: 'Sequence', normalizers: new Array(6).fill(step) };
    }),
    'padding and truncation': tokenizer((draw, t) => {
      t.truncation = { max_length: draw.pick(HUGE), stride: draw.pick([...HUGE, ...ODD]), strategy: 'LongestFirst', direction: 'Right' }; // prettier-ignore
      t.padding = { strategy: { Fixed: draw.pick(HUGE) }, pad_to_multiple_of: draw.pick(HUGE), pad_id: -1 };
    }),
    'a device': (_draw, folder) => symlinkSync('/dev/zero', join(folder, 'tokenizer.json')),
  },
};
