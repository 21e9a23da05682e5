import { Tokenizer as RustTokenizer, type Encoding as RustEncoding } from 'tokenizers';
import { describe, expect, it } from 'vitest';
import { loadTokenizer, type Encoding } from '../../../../src/data/text/tokenizer';
import { learnedPipeline, PIPELINES } from '../../../tokenizers/pipelines';
import { PAIRS as ALL_PAIRS, TEXTS as ALL_TEXTS } from '../../../tokenizers/texts';
import { temporaryFolder } from '../support';

const { write } = temporaryFolder();
const WHOLE = 100_000;
/** Each writing system has some of them. */
const [TEXTS, PAIRS] = [ALL_TEXTS.slice(0, 200), ALL_PAIRS.slice(0, 60)];

const ours = ({ ids, typeIds = ids.map(() => 0) }: Encoding) => ({ ids, typeIds });
const theirs = (e: RustEncoding) => ({ ids: e.getIds(), typeIds: e.getTypeIds() });

/** The first differences, with their texts. */
function differences<T>(of: readonly T[], own: (each: T) => unknown, other: readonly unknown[]): unknown[] {
  return of
    .map((each, i) => ({ of: each, own: JSON.stringify(own(each)), other: JSON.stringify(other[i]) }))
    .filter((each) => each.own !== each.other)
    .slice(0, 3);
}

describe.each(Object.entries(PIPELINES))("%s, beside Hugging Face's tokenizers", (_, pipeline) => {
  it('has the tokens of texts and pairs in ten writing systems, and writes them again', async () => {
    const file = JSON.stringify(learnedPipeline(pipeline, write));
    const own = loadTokenizer(write('tokenizer.json', file));
    const rust = RustTokenizer.fromString(file);
    const texts = await Promise.all(TEXTS.map((text) => rust.encode(text)));
    expect(differences(TEXTS, (text) => ours(own.encode(text, WHOLE)), texts.map(theirs))).toEqual([]);
    const pairs = await Promise.all(PAIRS.map(([first, second]) => rust.encode(first, second)));
    expect(
      differences(PAIRS, ([first, second]) => ours(own.encodePair(first, second, WHOLE)), pairs.map(theirs)),
    ).toEqual([]);
    const ids = texts.map((e) => e.getIds());
    const decoded = await Promise.all(ids.map((each) => rust.decode(each, true)));
    expect(differences(ids, (each) => own.decode(each), decoded)).toEqual([]);
  });
});
