import { readFileSync } from 'node:fs';
import {
  Tokenizer,
  Unigram,
  WordPiece,
  bertNormalizer,
  bertPreTokenizer,
  metaspacePreTokenizer,
  nfkcNormalizer,
} from 'tokenizers';
import { metaspace, special, template, text, token, type TokenizerJson } from './formats';
import { CORPUS } from './texts';

/** Writes a file into a folder and returns its path. */
type Write = (name: string, data: string) => string;

/** Learns from the corpus what the tokenizer's model lacks; its tokenizer.json. */
function learn(tokenizer: Tokenizer, write: Write): TokenizerJson {
  tokenizer.train([write('corpus.txt', CORPUS.join('\n'))]);
  const path = write('learned.json', '');
  tokenizer.save(path);
  return JSON.parse(readFileSync(path, 'utf8')) as TokenizerJson;
}

/** As uncased BERT, with all characters of the corpus and the 5,000 most frequent pieces of its words. */
export function wordPiece(write: Write): TokenizerJson {
  const tokenizer = new Tokenizer(WordPiece.empty());
  const normalizer = bertNormalizer();
  tokenizer.setNormalizer(normalizer);
  tokenizer.setPreTokenizer(bertPreTokenizer());
  const json = learn(tokenizer, write);
  const learned = Object.entries(json.model.vocab as Record<string, number>).sort((a, b) => a[1] - b[1]);
  const characters = [...new Set(normalizer.normalizeString(CORPUS.join(' ')).replaceAll(' ', ''))].sort();
  const specials = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
  const pieces = new Set([
    ...specials,
    ...characters.flatMap((c) => [c, `##${c}`]),
    ...learned.slice(0, 5000).map(([piece]) => piece),
  ]);
  return {
    ...json,
    added_tokens: specials.map(special),
    post_processor: template(
      { '[CLS]': 2, '[SEP]': 3 },
      [token('[CLS]'), text('A'), token('[SEP]')],
      [token('[CLS]'), text('A'), token('[SEP]'), text('B', 1), token('[SEP]', 1)],
    ),
    model: { ...json.model, vocab: Object.fromEntries([...pieces].map((piece, id) => [piece, id])) },
  };
}

/** As XLM-RoBERTa, with the characters and some thousand pieces of the corpus. */
export function unigram(write: Write): TokenizerJson {
  const tokenizer = new Tokenizer(Unigram.empty());
  tokenizer.setNormalizer(nfkcNormalizer());
  tokenizer.setPreTokenizer(metaspacePreTokenizer());
  const json = learn(tokenizer, write);
  const learned = (json.model.vocab as [string, number][]).filter(([piece]) => piece !== '\n');
  const specials = ['<s>', '<pad>', '</s>', '<unk>'];
  return {
    ...json,
    added_tokens: specials.map(special),
    decoder: metaspace,
    post_processor: template(
      { '<s>': 0, '</s>': 2 },
      [token('<s>'), text('A'), token('</s>')],
      [token('<s>'), text('A'), token('</s>'), token('</s>'), text('B'), token('</s>')],
    ),
    model: {
      ...json.model,
      unk_id: 3,
      vocab: [...specials.map((s): [string, number] => [s, 0]), ...learned],
    },
  };
}
