import type { TextExample } from '../../data/dataset';
import { textExample } from '../../data/dataset';
import { encodeWords } from '../../data/text/word-tokens';
import type { Tokenizer } from '../../data/text/tokenizer';
import { argmax } from '../softmax';

/** A text of words, each with a tag. */
export interface TaggedText extends TextExample {
  /** For each word the position of its first token, -1 for a word that the model does not read. */
  first: Int32Array;
  /** The index of each word's tag. */
  tags: Int32Array;
  /** The beginning and the end of each word in the text, in UTF-16 units. */
  offsets: Int32Array;
}

export interface Words {
  words: readonly string[];
  tags: Int32Array;
  offsets: Int32Array;
}

export function taggedText(
  tokenizer: Tokenizer,
  { words, tags, offsets }: Words,
  maxLength: number,
  row: number,
): TaggedText {
  const { first, ...encoding } = encodeWords(tokenizer, words, maxLength);
  return { ...textExample(encoding, row), first, tags, offsets };
}

/** The offsets of words in a text that has one space between them. */
export function joinedOffsets(words: readonly string[]): Int32Array {
  let start = 0;
  return Int32Array.from(
    words.flatMap((word) => {
      const span = [start, start + word.length];
      start += word.length + 1;
      return span;
    }),
  );
}

/** The logits of a word's first token; undefined for a word that the model does not read. */
export function wordLogits({ first, size }: TaggedText, word: number, logits: Float32Array) {
  const classes = logits.length / size;
  const at = first[word];
  return at < 0 ? undefined : logits.subarray(at * classes, (at + 1) * classes);
}

/** The predicted tag of each word. A word that the model does not read is part of nothing: O. */
export const predictedTags = (
  example: TaggedText,
  logits: Float32Array,
  labels: readonly string[],
): string[] =>
  Array.from(example.first, (_, word) => {
    const own = wordLogits(example, word, logits);
    return own ? labels[argmax(own)] : 'O';
  });

export const trueTags = ({ tags }: TaggedText, labels: readonly string[]): string[] =>
  Array.from(tags, (tag) => labels[tag]);
