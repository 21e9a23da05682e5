import { Tokenizer as RustTokenizer } from 'tokenizers';
import { describe, expect, it } from 'vitest';
import { splitWith } from '../../../../src/data/text/split-behavior';
import { loadTokenizer } from '../../../../src/data/text/tokenizer';
import { byteLevel, type TokenizerJson } from '../../../tokenizers/formats';
import { learnedPipeline, PIPELINES } from '../../../tokenizers/pipelines';
import { TEXTS } from '../../../tokenizers/texts';
import { failure, temporaryFolder } from '../support';

const { write } = temporaryFolder();
const BEHAVIORS = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const;
const SOME = [...TEXTS.slice(0, 100), '', ' ', '  a\n\n\nb', 'a--b- -c', '12²½Ⅻ३', '▁▁ a ▁b', 'a<s> b'];

/** Pieces that cross words, of bytes and of characters, so that each division is seen in the tokens. */
const bytes = learnedPipeline(PIPELINES.BLOOM, write);
const pieces = learnedPipeline({ ...PIPELINES.Helium, normalizer: null }, write);

async function agrees(json: TokenizerJson, pre_tokenizer: object): Promise<void> {
  const file = JSON.stringify({ ...json, pre_tokenizer });
  const own = loadTokenizer(write('tokenizer.json', file));
  const rust = RustTokenizer.fromString(file);
  const theirs = await Promise.all(SOME.map((text) => rust.encode(text)));
  expect(SOME.map((text, i) => ({ text, ids: own.encode(text, 1e6).ids, i }))).toEqual(
    SOME.map((text, i) => ({ text, ids: theirs[i].getIds(), i })),
  );
}

const beforeBytes = (part: object) => ({
  type: 'Sequence',
  pretokenizers: [part, { ...byteLevel, use_regex: false }],
});

describe("pre-tokenizers divide texts as Hugging Face's tokenizers do", () => {
  it.each(
    BEHAVIORS.flatMap((behavior) =>
      [false, true].flatMap((invert) =>
        [{ Regex: '\\p{L}+|-' }, { String: 'a' }].map((pattern) => ({ pattern, behavior, invert })),
      ),
    ),
  )('Split %j', (part) => agrees(bytes, beforeBytes({ type: 'Split', ...part })));

  it.each(BEHAVIORS)('Punctuation, %s', (behavior) =>
    agrees(bytes, beforeBytes({ type: 'Punctuation', behavior })),
  );

  it.each([true, false])('Digits, individual: %s', (individual_digits) =>
    agrees(bytes, beforeBytes({ type: 'Digits', individual_digits })),
  );

  it.each(
    ['first', 'never', 'always'].flatMap((prepend_scheme) =>
      [true, false].map((split) => ({ prepend_scheme, split })),
    ),
  )('Metaspace %j', (part) => agrees(pieces, { type: 'Metaspace', replacement: '▁', ...part }));

  it('Metaspace of older files, and behind another', async () => {
    const metaspace = { type: 'Metaspace', replacement: '▁' };
    // Versions from 0.14 on refuse false without a scheme.
    await agrees(pieces, { ...metaspace, add_prefix_space: false, prepend_scheme: 'never' });
    await agrees(pieces, { ...metaspace, add_prefix_space: true });
    const first = { ...metaspace, prepend_scheme: 'first', split: true };
    await agrees(pieces, { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, metaspace] });
    await agrees(pieces, {
      type: 'Sequence',
      pretokenizers: [{ type: 'Punctuation', behavior: 'Isolated' }, first],
    });
  });

  it('refuse a behavior that there is none of', () => {
    const file = JSON.stringify({ ...bytes, pre_tokenizer: { type: 'Punctuation', behavior: 'Kept' } });
    expect(failure('tokenizer', () => loadTokenizer(write('tokenizer.json', file)))).toContain(
      'its behavior "Kept" is unknown',
    );
  });
});

it('sections of no length are left out', () =>
  expect(splitWith('ab', /(?=b)/g, 'Isolated')).toEqual(['a', 'b']));
