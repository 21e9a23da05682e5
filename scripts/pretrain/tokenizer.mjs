import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import tokenizers from 'tokenizers';

const { BPE, Tokenizer, byteLevelAlphabet, byteLevelPreTokenizer } = tokenizers;

/** Ids 0, 1 and 2; LLaMA 3's names. */
const SPECIAL = ['<|begin_of_text|>', '<|end_of_text|>', '<|pad|>'];
const VOCABULARY = 2048;

/**
 * Learns a byte-level BPE and writes tokenizer.json and tokenizer_config.json to `folder`.
 * @param {string[]} texts
 * @param {string} folder
 * @param {string} scratch a folder for temporary files
 * @returns {Promise<(texts: string[]) => Promise<Uint16Array>>} each text between the tokens of its begin and end
 */
export async function trainTokenizer(texts, folder, scratch) {
  const learning = new Tokenizer(BPE.empty());
  learning.setPreTokenizer(byteLevelPreTokenizer(false));
  writeFileSync(join(scratch, 'texts.txt'), texts.join('\n'));
  learning.train([join(scratch, 'texts.txt')]);
  learning.save(join(scratch, 'tokenizer.json'));
  // The library's trainer learns 30,000 pieces, in an order of which the first are as if it had learned no others.
  const { merges } = JSON.parse(readFileSync(join(scratch, 'tokenizer.json'), 'utf8')).model;
  const pieces = [...SPECIAL, ...byteLevelAlphabet().sort()];
  const kept = merges.slice(0, VOCABULARY - pieces.length);
  const vocab = [...pieces, ...kept.map((pair) => pair.join(''))];
  const file = join(folder, 'tokenizer.json');
  writeFileSync(file, `${JSON.stringify(tokenizerJson(vocab, kept), null, 1)}\n`);
  writeFileSync(join(folder, 'tokenizer_config.json'), `${JSON.stringify(CONFIG, null, 2)}\n`);
  const made = Tokenizer.fromFile(file);
  return async (texts) => {
    const encoded = await made.encodeBatch(texts);
    return Uint16Array.from(encoded.flatMap((text) => [...text.getIds(), 1]));
  };
}

const CONFIG = {
  tokenizer_class: 'PreTrainedTokenizerFast',
  bos_token: SPECIAL[0],
  eos_token: SPECIAL[1],
  pad_token: SPECIAL[2],
};

/** @param {string[]} pieces @param {string[][]} merges */
function tokenizerJson(pieces, merges) {
  const special = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const begin = { SpecialToken: { id: SPECIAL[0], type_id: 0 } };
  const sequence = (id, type_id) => ({ Sequence: { id, type_id } });
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL.map((content, id) => ({ id, content, ...special })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: {
      type: 'TemplateProcessing',
      single: [begin, sequence('A', 0)],
      pair: [begin, sequence('A', 0), begin, sequence('B', 1)],
      special_tokens: { [SPECIAL[0]]: { id: SPECIAL[0], ids: [0], tokens: [SPECIAL[0]] } },
    },
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
      merges,
    },
  };
}
