import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTokenizer, type Tokenizer } from '../../src/data/text/tokenizer';
import { metaspace, special, template, text, token } from '../tokenizers/formats';
import { CORPUS, PAIRS, TEXTS } from '../tokenizers/texts';
import { onPython, python } from './python';
import { scratchFolder } from '../scratch';

/** Special tokens are read as such by all of Hugging Face's tokenizers, and as letters by SentencePiece. */
const asText = (t: string): string => t.replace(/<unk>|<s>|<\/s>/g, '');

/** For the tokens of the texts: odd and even. */
const ROOMS = [15, 16];

interface SentencePiece {
  version: string;
  /** Base64. */
  charsmap: string;
  pieces: [string, number][];
  texts: number[][];
  pairs: number[][];
  /** By room. */
  cut: Record<number, number[][]>;
  pairsCut: Record<number, number[][]>;
}

/** A SentencePiece model as transformers converts it (convert_slow_tokenizer.py, SpmConverter), in ALBERT's format. */
const converted = ({ charsmap, pieces }: SentencePiece): object => ({
  added_tokens: ['<pad>', '<unk>', '<s>', '</s>'].map(special),
  normalizer: {
    type: 'Sequence',
    normalizers: [
      { type: 'Precompiled', precompiled_charsmap: charsmap },
      { type: 'Strip', strip_left: false, strip_right: true },
      { type: 'Replace', pattern: { Regex: ' {2,}' }, content: '▁' },
    ],
  },
  pre_tokenizer: metaspace,
  post_processor: template(
    { '<s>': 2, '</s>': 3 },
    [token('<s>'), text('A'), token('</s>')],
    [token('<s>'), text('A'), token('</s>'), text('B', 1), token('</s>', 1)],
  ),
  decoder: metaspace,
  model: { type: 'Unigram', unk_id: 1, vocab: pieces, byte_fallback: false },
});

/** Rules for normalization: those of most models, and those of models that ignore case. */
describe.runIf(onPython).each(['nmt_nfkc', 'nmt_nfkc_cf'])(
  'SentencePiece, trained on ten writing systems with the rules %s',
  (rules) => {
    const folder = scratchFolder('sentencepiece');
    const texts = TEXTS.map(asText);
    const pairs = PAIRS.map((pair) => pair.map(asText) as [string, string]);
    let theirs: SentencePiece;
    let own: Tokenizer;
    beforeAll(() => {
      const asked = { corpus: CORPUS, pieces: 5000, texts, pairs, rooms: ROOMS };
      theirs = JSON.parse(python('sentencepiece_side.py', [folder, rules], asked)) as SentencePiece;
      const file = join(folder, 'tokenizer.json');
      writeFileSync(file, JSON.stringify(converted(theirs)));
      own = loadTokenizer(file);
      console.log(`SentencePiece ${theirs.version}, ${rules}: ${theirs.pieces.length} pieces.`);
    });

    it('has the same tokens', () => {
      const wrong = texts.filter((t, i) => own.encode(t, 100_000).ids.join() !== theirs.texts[i].join());
      expect(wrong).toEqual([]);
      const tokens = theirs.texts.flat();
      const unknown = tokens.filter((id) => id === 1).length / tokens.length;
      expect(unknown).toBeGreaterThan(0);
      expect(unknown).toBeLessThan(0.05);
    });

    it('has the same tokens of pairs', () => {
      const wrong = pairs.filter(
        (p, i) => own.encodePair(...p, 100_000).ids.join() !== theirs.pairs[i].join(),
      );
      expect(wrong).toEqual([]);
    });

    it.each(ROOMS)('has the same tokens where there is room for %i', (room) => {
      const cut = theirs.cut[room];
      const wrong = texts.filter((t, i) => own.encode(t, room + 2).ids.join() !== cut[i].join());
      expect(wrong).toEqual([]);
      const pairsCut = theirs.pairsCut[room];
      const wrongPairs = pairs.filter(
        (p, i) => own.encodePair(...p, room + 3).ids.join() !== pairsCut[i].join(),
      );
      expect(wrongPairs).toEqual([]);
    });
  },
);
