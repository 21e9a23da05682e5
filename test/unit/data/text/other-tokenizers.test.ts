import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer as RustTokenizer } from 'tokenizers';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../../../src/data/text/tokenizer';
import { temporaryFolder } from '../support';

const fixture = (kind: string): string =>
  join(import.meta.dirname, '../../../fixtures', kind, 'tokenizer.json');
const folder = temporaryFolder();

/** A sentence or two in each writing system. */
const SENTENCES = [
  "The quick brown fox doesn't jump over 13 lazy dogs, does it?",
  'Ünïcödé naïveté: œuvre, façade, straße — “quotes” and €1.234,50.',
  'Съешь же ещё этих мягких французских булок, да выпей чаю.',
  'Ξεσκεπάζω την ψυχοφθόρα βδελυγμία του 2024.',
  'نص حكيم له سر قاطع وذو شأن عظيم مكتوب على ثوب أخضر.',
  'דג סקרן שט לו בים זך אך לפתע פגש חבורה נחמדה.',
  'ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण का वध।',
  'いろはにほへと ちりぬるを、日本語のテキストです。カタカナも。',
  '我能吞下玻璃而不伤身体。二零二四年的測試！',
  '키스의 고유조건은 입술끼리 만나야 하고 특별한 기술은 필요치 않다.',
  'เป็นมนุษย์สุดประเสริฐเลิศคุณค่า กว่าบรรดาฝูงสัตว์',
  'Emoji 👩‍👩‍👧‍👦 and 🏳️‍🌈, controls \u0000\u200b\u00ad, tabs\tand  double  spaces\n\nand lines.',
];
/** 300 texts: parts of the sentences, alone and mixed. */
const TEXTS = Array.from({ length: 300 }, (_, i) => {
  const [a, b] = [SENTENCES[i % SENTENCES.length], SENTENCES[(i * 7 + 3) % SENTENCES.length]];
  const words = `${a} ${b}`.split(' ');
  return words.slice(i % 5, (i % 5) + 1 + ((i * 3) % 19)).join(i % 11 === 0 ? '  ' : ' ');
});

/** A fixture with other sections. */
function variant(kind: string, sections: (json: { model: object }) => object): string {
  const json = JSON.parse(readFileSync(fixture(kind), 'utf8')) as { model: object };
  return folder.write(
    `${Object.keys(sections(json)).join('-')}.json`,
    JSON.stringify({ ...json, ...sections(json) }),
  );
}

/** The character that stands for each byte (GPT-2, bytes_to_unicode). */
const BYTES = Array.from({ length: 256 }, (_, byte) => byte).map((byte, _, all) => {
  const shown = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b !== 173);
  return String.fromCodePoint(shown(byte) ? byte : 256 + all.slice(0, byte).filter((b) => !shown(b)).length);
});

/** The small fixture with a token for every byte, as real vocabularies have, so that none is left out. */
function wholeBytes({ model }: { model: { vocab?: Record<string, number> } }): object {
  const vocab = { ...model.vocab };
  for (const byte of BYTES) vocab[byte] ??= Object.keys(vocab).length;
  return { ...model, vocab };
}
const gpt2 = () => variant('playground/language', (json) => ({ model: wholeBytes(json) }));

/** Byte-level BPE with LLaMA-3's split into words, and its special token before the text. */
const llama3 = () =>
  variant('playground/language', (json) => ({
    model: wholeBytes(json),
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        {
          type: 'Split',
          pattern: {
            Regex:
              "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
          },
          behavior: 'Isolated',
          invert: false,
        },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<|endoftext|>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [
        { SpecialToken: { id: '<|endoftext|>', type_id: 0 } },
        { Sequence: { id: 'A', type_id: 0 } },
        { SpecialToken: { id: '<|endoftext|>', type_id: 1 } },
        { Sequence: { id: 'B', type_id: 1 } },
      ],
      special_tokens: { '<|endoftext|>': { id: '<|endoftext|>', ids: [0], tokens: ['<|endoftext|>'] } },
    },
  }));

describe("token ids equal those of Hugging Face's tokenizers on 300 texts and pairs in ten writing systems", () => {
  it.each([
    ['WordPiece', () => fixture('data/wordpiece')],
    ["GPT-2's byte-level BPE", gpt2],
    ["LLaMA-3's byte-level BPE", llama3],
    ['Unigram', () => fixture('data/unigram')],
  ])('%s', async (_, path) => {
    const file = path();
    const own = loadTokenizer(file);
    const json = readFileSync(file, 'utf8');
    const [whole, cut] = [RustTokenizer.fromString(json), RustTokenizer.fromString(json)];
    cut.setTruncation(12);
    const wrong: unknown[] = [];
    for (const [i, text] of TEXTS.entries()) {
      const pair = TEXTS[(i + 7) % TEXTS.length];
      const [all, short, both] = await Promise.all([
        whole.encode(text),
        cut.encode(text),
        whole.encode(text, pair),
      ]);
      const checks = [
        [own.encode(text, 10_000).ids, all.getIds()],
        [own.encode(text, 12).ids, short.getIds()],
        [own.encodePair(text, pair, 10_000).ids, both.getIds()],
      ];
      for (const [ours, theirs] of checks)
        if (ours.join() !== theirs.join()) wrong.push({ text, pair, ours, theirs });
    }
    expect(wrong.slice(0, 3)).toEqual([]);
    expect(wrong).toHaveLength(0);
  });
});
