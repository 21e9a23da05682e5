import { encode as gpt2Encode } from 'gpt-3-encoder';
import llama3Package from 'llama3-tokenizer-js';
import { Tokenizer as RustTokenizer, type Encoding as RustEncoding } from 'tokenizers';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeInputs } from '../../../../src/data/batch';
import type { TextDataset } from '../../../../src/data/dataset';
import { DType } from '../../../../src/graph/dtype';
import type { ValueInfo } from '../../../../src/graph/model';
import { loadTokenizer, type Encoding, type Tokenizer } from '../../../../src/data/text/tokenizer';
import { unigram, wordPiece } from '../../../tokenizers/learned';
import { bpe } from '../../../tokenizers/formats';
import { gpt2, llama3 } from '../../../tokenizers/published';
import { PAIRS, TEXTS } from '../../../tokenizers/texts';
import { temporaryFolder } from '../support';

const { write } = temporaryFolder();

/** Odd and even, so that the room beside any number of special tokens is too. */
const LENGTHS = [24, 25];
const WHOLE = 100_000;

interface Family {
  name: string;
  json: () => object;
  /** The token for what the vocabulary lacks, if it can lack anything. */
  unknown?: string;
  /** The encoder of the package with the vocabulary, which has no special tokens but those it puts first. */
  published?: (text: string) => number[];
}

const FAMILIES: Family[] = [
  {
    name: "GPT-2's byte-level BPE",
    json: gpt2,
    // It reads the special token as text.
    published: (text) =>
      text.split('<|endoftext|>').flatMap((part, i) => [...(i ? [50256] : []), ...gpt2Encode(part)]),
  },
  {
    name: "LLaMA-3's byte-level BPE",
    json: llama3,
    published: (text) => llama3Package.encode(text, { bos: true, eos: false }),
  },
  { name: 'WordPiece', json: () => wordPiece(write), unknown: '[UNK]' },
  { name: 'Unigram', json: () => unigram(write), unknown: '<unk>' },
];

interface Tokens {
  ids: number[];
  typeIds: number[];
}
const zeros = (ids: number[]): number[] => ids.map(() => 0);
const ours = ({ ids, typeIds = zeros(ids) }: Encoding): Tokens => ({ ids, typeIds });
const theirs = (e: RustEncoding): Tokens => {
  expect(e.getAttentionMask().every((m) => m === 1)).toBe(true);
  return { ids: e.getIds(), typeIds: e.getTypeIds() };
};

/** The number of tokens of each text of a pair. */
const sizes = (e: RustEncoding): number[] =>
  [0, 1].map((text) => e.getSequenceIds().filter((s) => s === text).length);

/** One token for each letter, all in one word. */
const letters = RustTokenizer.fromString(
  JSON.stringify({
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    model: bpe({ a: 0 }, [], false),
  }),
);

/**
 * The numbers of tokens that `tokenizers` keeps of texts with so many. From 0.23.1 on it stops reading a pair after the word that
 * fills `room`, and either text may get the odd token (huggingface/tokenizers#1990); within a word it reads all.
 */
async function keeps([first, second]: number[], room: number): Promise<number[]> {
  letters.setTruncation(room);
  return sizes(await letters.encode('a'.repeat(first), 'a'.repeat(second)));
}

/** A whole pair without what follows the first tokens of each text. */
function keeping(whole: RustEncoding, most: number[]): Tokens {
  const seen = [0, 0];
  const stays = whole.getSequenceIds().map((s) => typeof s !== 'number' || seen[s]++ < most[s]);
  const { ids, typeIds } = theirs(whole);
  return { ids: ids.filter((_, i) => stays[i]), typeIds: typeIds.filter((_, i) => stays[i]) };
}

/** Compares and keeps the first differences, with the text, for the message of a test that fails. */
class Differences {
  readonly first: unknown[] = [];
  count = 0;

  compare(own: unknown, other: unknown, of: unknown): void {
    const [a, b] = [JSON.stringify(own), JSON.stringify(other)];
    if (a === b) return;
    this.count++;
    if (this.first.length < 3) this.first.push({ of, own: a, other: b });
  }

  none(): void {
    expect(this.first).toEqual([]);
    expect(this.count).toBe(0);
  }
}

describe.each(FAMILIES)(
  '$name, on 300 texts and pairs in ten writing systems',
  ({ json, unknown, published }) => {
    let own: Tokenizer;
    let rust: RustTokenizer;
    beforeAll(() => {
      const file = JSON.stringify(json());
      own = loadTokenizer(write('tokenizer.json', file));
      rust = RustTokenizer.fromString(file);
    });
    const encodeAll = (length?: number): Promise<[RustEncoding[], RustEncoding[]]> => {
      if (length === undefined) rust.disableTruncation();
      else rust.setTruncation(length);
      return Promise.all([
        Promise.all(TEXTS.map((text) => rust.encode(text))),
        Promise.all(PAIRS.map(([first, second]) => rust.encode(first, second))),
      ]);
    };

    it("has the tokens of Hugging Face's tokenizers, segments and special tokens included", async () => {
      const [texts, pairs] = await encodeAll();
      const differences = new Differences();
      TEXTS.forEach((t, i) => differences.compare(ours(own.encode(t, WHOLE)), theirs(texts[i]), t));
      PAIRS.forEach((p, i) => differences.compare(ours(own.encodePair(...p, WHOLE)), theirs(pairs[i]), p));
      differences.none();
    });

    it('has the same ones after truncation', async () => {
      const [, whole] = await encodeAll();
      const differences = new Differences();
      const rooms = { odd: 0, even: 0 };
      for (const length of LENGTHS) {
        const [texts, pairs] = await encodeAll(length);
        for (const [i, text] of TEXTS.entries())
          differences.compare(ours(own.encode(text, length)), theirs(texts[i]), text);
        for (const [i, pair] of PAIRS.entries()) {
          const all = sizes(whole[i]);
          const room = length - (whole[i].getLength() - all[0] - all[1]);
          const parity = room % 2 === 0 ? 'even' : 'odd';
          const expected = parity === 'even' ? theirs(pairs[i]) : keeping(whole[i], await keeps(all, room));
          const encoding = own.encodePair(...pair, length);
          differences.compare(ours(encoding), expected, pair);
          if (encoding.truncated) rooms[parity]++;
        }
      }
      differences.none();
      expect(Math.min(rooms.odd, rooms.even)).toBeGreaterThan(200);
    });

    it('has the same batches: padding, attention and segments', async () => {
      const [length] = LENGTHS;
      rust.setTruncation(length);
      rust.setPadding({ padId: own.padId, padToken: rust.idToToken(own.padId)! });
      const batch = await rust.encodeBatch([...TEXTS]);
      rust.disablePadding();
      const examples = TEXTS.map((text, row) => {
        const { ids, typeIds } = own.encode(text, length);
        return {
          row,
          size: ids.length,
          ids: Int32Array.from(ids),
          ...(typeIds && { typeIds: Int32Array.from(typeIds) }),
        };
      });
      const inputs = ['input_ids', 'attention_mask', 'token_type_ids'];
      const made = makeInputs(
        { examples, padId: own.padId } as unknown as TextDataset,
        [...TEXTS.keys()],
        inputs.map((name) => ({ name, dtype: DType.int32 })) as ValueInfo[],
      );
      const columns = [
        batch.map((e) => e.getIds()),
        batch.map((e) => e.getAttentionMask()),
        batch.map((e) => e.getTypeIds()),
      ];
      inputs.forEach((name, k) => expect([...made[name].data], name).toEqual(columns[k].flat()));
      expect(columns[1].flat()).toContain(0);
    });

    if (unknown)
      it('knows 95% of the tokens', () => {
        const tokens = TEXTS.flatMap((t) => own.encode(t, WHOLE).ids);
        const share = tokens.filter((id) => id === own.idOf(unknown)).length / tokens.length;
        expect(own.vocabSize).toBeGreaterThan(5000);
        expect(share).toBeGreaterThan(0);
        expect(share).toBeLessThan(0.05);
      });

    if (published)
      it("has the tokens of the encoder of the vocabulary's package", () => {
        const differences = new Differences();
        for (const text of TEXTS) differences.compare(own.encode(text, WHOLE).ids, published(text), text);
        differences.none();
      });
  },
);
