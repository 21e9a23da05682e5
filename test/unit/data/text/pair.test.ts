import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer as RustTokenizer } from 'tokenizers';
import { describe, expect, it } from 'vitest';
import { longestFirst } from '../../../../src/data/text/pair';
import { loadTokenizer } from '../../../../src/data/text/tokenizer';
import { failure, temporaryFolder } from '../support';

const fixture = (kind: string): string =>
  join(import.meta.dirname, '../../../fixtures', kind, 'tokenizer.json');
const folder = temporaryFolder();

/** A fixture with another format for its texts. */
function variant(kind: string, sections: object): string {
  const json = JSON.parse(readFileSync(fixture(kind), 'utf8')) as object;
  return folder.write('tokenizer.json', JSON.stringify({ ...json, ...sections }));
}

describe('longest-first truncation', () => {
  it.each([
    [3, 4, 9, [3, 4]],
    [3, 9, 8, [3, 5]],
    [9, 3, 8, [5, 3]],
    [9, 8, 7, [4, 3]],
    [8, 9, 7, [3, 4]],
    [6, 6, 7, [3, 4]],
    [20, 20, 2, [1, 1]],
    [0, 9, 4, [0, 4]],
  ])('keeps of %i and %i tokens in %i places', (first, second, room, kept) =>
    expect(longestFirst(first, second, room)).toEqual(kept),
  );
});

describe('a pair of texts', () => {
  const words = 'the cats playing cafe unaffable hello world he dog 日本 Café !'.split(' ');
  const text = (from: number, length: number) =>
    Array.from({ length }, (_, i) => words[(from + i * 5) % words.length]).join(' ');
  const robertaPairs = {
    post_processor: {
      type: 'RobertaProcessing',
      sep: ['[SEP]', 3],
      cls: ['[CLS]', 2],
      trim_offsets: true,
      add_prefix_space: false,
    },
  };

  it.each([
    ['WordPiece with segments', () => fixture('data/wordpiece')],
    ['Unigram with one separator', () => fixture('data/unigram')],
    ['byte-level BPE without special tokens', () => fixture('playground/language')],
    ["RoBERTa's two separators", () => variant('data/wordpiece', robertaPairs)],
    ['no format at all', () => variant('data/wordpiece', { post_processor: null })],
  ])("has the ids and segments of Hugging Face's tokenizers: %s", async (_, path) => {
    const file = path();
    const own = loadTokenizer(file);
    const one = await RustTokenizer.fromString(readFileSync(file, 'utf8')).encode('he', 'he');
    const alone = await RustTokenizer.fromString(readFileSync(file, 'utf8')).encode('he', null, {
      addSpecialTokens: false,
    });
    const special = one.getLength() - 2 * alone.getLength();
    // With an even number of places, versions of tokenizers agree.
    for (const room of [2, 4, 6, 8, 60, 198])
      for (const [a, b] of [
        [1, 1],
        [3, 12],
        [12, 3],
        [12, 12],
        [400, 2],
        [30, 400],
      ]) {
        const rust = RustTokenizer.fromString(readFileSync(file, 'utf8'));
        const maxLength = room + special;
        rust.setTruncation(maxLength);
        const [first, second] = [text(a, a), text(b + 1, b)];
        const theirs = await rust.encode(first, second);
        const ours = own.encodePair(first, second, maxLength);
        expect(ours.ids, `${a} ${b} ${maxLength}`).toEqual(theirs.getIds());
        expect(ours.typeIds).toEqual(theirs.getTypeIds());
        expect(ours.truncated).toBe(theirs.getOverflowing().length > 0);
      }
  });

  it('needs room for one token of each text', () => {
    const tokenizer = loadTokenizer(fixture('data/wordpiece'));
    expect(tokenizer.encodePair('the cats', 'the cafe', 5).ids).toHaveLength(5);
    expect(failure('tokenizer', () => tokenizer.encodePair('the cats', 'the cafe', 4))).toBe(
      'model.maxLength is 4, but 3 of it go to special tokens. | Set model.maxLength to 5 or more.',
    );
  });
});
