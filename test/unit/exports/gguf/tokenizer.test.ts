import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { tokenizerKind } from '../../../../src/exports/gguf/tokenizer-kind';
import { ggufVocabulary } from '../../../../src/exports/gguf/vocabulary';
import type { TokenizerJson } from '../../../tokenizers/formats';
import {
  BYTE_LEVEL_KINDS,
  byteLevelTokenizer,
  SENTENCE_PIECE_KINDS,
  sentencePieceTokenizer,
  tokenCount,
} from '../../../tokenizers/small';

const folder = mkdtempSync(join(tmpdir(), 'aurora-gguf-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'tokenizer.json');

const kindOf = (tokenizer: TokenizerJson) =>
  tokenizerKind(path, { tokenizer, tokenizerConfig: {}, modelConfig: {} });

/** The entries of a tokenizer with these names for its special tokens. */
function vocabularyOf(tokenizer: TokenizerJson, config: object, rows = tokenCount(tokenizer)) {
  writeFileSync(path, JSON.stringify(tokenizer));
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
  return new Map(ggufVocabulary(path, rows).metadata.map(([key, { value }]) => [key, value]));
}

describe('the tokenizer of a GGUF file', () => {
  it.each(BYTE_LEVEL_KINDS)('is recognized by its pre-tokenizer as %s', (pre) => {
    expect(kindOf(byteLevelTokenizer(pre, false))).toEqual({ model: 'gpt2', pre });
  });

  it.each(SENTENCE_PIECE_KINDS)('is recognized as SentencePiece’s with the spaces of %s', (kind) => {
    const addsSpace = kind !== 'gemma';
    expect(kindOf(sentencePieceTokenizer(kind))).toEqual({ model: 'llama', pre: 'default', addsSpace });
  });

  const byteLevel = byteLevelTokenizer('llama-bpe', true);
  const sentencePiece = sentencePieceTokenizer('llama');
  const [split, bytes] = (byteLevel.pre_tokenizer as { pretokenizers: object[] }).pretokenizers;
  const otherWords = { ...split, pattern: { Regex: '\\w+' } };
  it.each<[string, TokenizerJson, string]>([
    [
      'a pattern',
      { ...byteLevel, pre_tokenizer: { type: 'Sequence', pretokenizers: [otherWords, bytes] } },
      'pre-tokenizer is unknown',
    ],
    [
      'a step',
      { ...byteLevel, pre_tokenizer: { type: 'Sequence', pretokenizers: [split, bytes, bytes] } },
      'pre-tokenizer is unknown',
    ],
    [
      'a normalizer',
      { ...byteLevel, normalizer: { type: 'Lowercase' } },
      'normalizer is {"type":"Lowercase"}',
    ],
    [
      'merges within whole words',
      { ...byteLevel, model: { ...byteLevel.model, ignore_merges: false } },
      'ignore_merges is false',
    ],
    [
      'suffixes',
      { ...byteLevel, model: { ...byteLevel.model, end_of_word_suffix: '</w>' } },
      'a prefix or a suffix',
    ],
    ['a model', { ...byteLevel, model: { ...byteLevel.model, type: 'Unigram' } }, 'model is "Unigram"'],
    [
      'spaces',
      { ...sentencePiece, normalizer: { type: 'NFKC' } },
      'normalizer and pre-tokenizer are unknown',
    ],
    [
      'divided words',
      {
        ...sentencePiece,
        normalizer: null,
        pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: true },
      },
      'normalizer and pre-tokenizer are unknown',
    ],
  ])('is refused with other %s', (_, tokenizer, message) => {
    expect(() => kindOf(tokenizer)).toThrow(message);
  });

  it('has tokens, their types and merges, and names for ids without a token', () => {
    const size = tokenCount(byteLevel);
    const entries = vocabularyOf(
      byteLevel,
      { bos_token: '<|begin|>', eos_token: { content: '<|end|>' } },
      size + 2,
    );
    const tokens = entries.get('tokenizer.ggml.tokens') as string[];
    const types = entries.get('tokenizer.ggml.token_type') as number[];
    expect(tokens.slice(-4)).toEqual(['<|begin|>', '<|end|>', `[PAD${size}]`, `[PAD${size + 1}]`]);
    expect(types.slice(-5)).toEqual([1, 3, 3, 5, 5]);
    expect(entries.get('tokenizer.ggml.merges')).toEqual(byteLevel.model.merges);
    const ids = ['bos', 'eos'].map((role) => entries.get(`tokenizer.ggml.${role}_token_id`));
    expect(ids).toEqual([size - 2, size - 1]);
    expect(['bos', 'eos'].map((role) => entries.get(`tokenizer.ggml.add_${role}_token`))).toEqual([
      true,
      false,
    ]);
    expect(entries.has('tokenizer.chat_template')).toBe(false);
  });

  it('has no tokens beyond the embedding', () => {
    const rows = tokenCount(byteLevel);
    const config = { bos_token: '<|begin|>', eos_token: '<|end|>' };
    const added = byteLevel.added_tokens as object[];
    const image = { ...added[0], id: rows, content: '<image_soft_token>' };
    const { vocab } = byteLevel.model as { vocab: Record<string, number> };
    const longer = {
      ...byteLevel,
      added_tokens: [...added, image],
      model: { ...byteLevel.model, vocab: { ...vocab, unreachable: rows + 1 } },
    };
    expect(vocabularyOf(longer, config, rows)).toEqual(vocabularyOf(byteLevel, config, rows));
  });

  it('has scores by which earlier merges come first', () => {
    const entries = vocabularyOf(sentencePiece, {
      bos_token: '<s>',
      eos_token: '</s>',
      unk_token: '<unk>',
      chat_template: '{{ messages }}',
    });
    const tokens = entries.get('tokenizer.ggml.tokens') as string[];
    const scores = entries.get('tokenizer.ggml.scores') as number[];
    const made = [...new Set((sentencePiece.model.merges as string[]).map((pair) => pair.replace(' ', '')))];
    const ordered = made.map((piece) => scores[tokens.indexOf(piece)]);
    expect(ordered).toEqual([...ordered].sort((a, b) => b - a));
    expect(new Set(ordered).size).toBe(made.length);
    const types = entries.get('tokenizer.ggml.token_type') as number[];
    expect(types.slice(0, 5)).toEqual([2, 3, 3, 6, 6]);
    expect(entries.get('tokenizer.ggml.unknown_token_id')).toBe(0);
    expect(entries.get('tokenizer.ggml.add_space_prefix')).toBe(true);
    expect(entries.get('tokenizer.chat_template')).toBe('{{ messages }}');
  });

  it('is refused if llama.cpp would join pieces without a merge', () => {
    const { merges } = sentencePiece.model as { merges: string[] };
    const fewer = { ...sentencePiece, model: { ...sentencePiece.model, merges: merges.slice(1) } };
    const [left, right] = merges[0].split(' ');
    expect(() => vocabularyOf(fewer, { bos_token: '<s>' })).toThrow(
      `the pieces ${JSON.stringify(left)}, ${JSON.stringify(right)} and ${JSON.stringify(left + right)}`,
    );
  });

  it('is refused if it puts other tokens around a text', () => {
    expect(() => vocabularyOf(byteLevel, { bos_token: '<|end|>' })).toThrow(
      'puts other tokens around a text',
    );
  });
});
