import { spanScorer } from '../../../src/tasks/spans';
import { joinedOffsets, type TaggedText } from '../../../src/tasks/text/tagged-text';

export const TAGS = ['B-LOC', 'B-PER', 'I-LOC', 'I-PER', 'O'];

/**
 * A text of words with these tags and two tokens each, between two special tokens.
 *
 * @param read how many of the words the model reads
 */
export function tagged(
  tags: readonly string[],
  {
    labels = TAGS,
    read = tags.length,
    row = 0,
  }: { labels?: readonly string[]; read?: number; row?: number } = {},
): TaggedText {
  const size = 2 * read + 2;
  return {
    size,
    ids: Int32Array.from({ length: size }, (_, i) => i),
    row,
    ...(read < tags.length && { truncated: true as const }),
    first: Int32Array.from(tags, (_, word) => (word < read ? 1 + 2 * word : -1)),
    tags: Int32Array.from(tags, (tag) => labels.indexOf(tag)),
    offsets: joinedOffsets(tags.map((_, word) => `word${word}`)),
  };
}

/** Logits that predict these tags of the words that are read; every other token says something else. */
export function predicting(
  { size, first }: TaggedText,
  predicted: readonly string[],
  labels: readonly string[] = TAGS,
): Float32Array {
  const logits = new Float32Array(size * labels.length);
  const set = (token: number, label: number, value: number) =>
    (logits[token * labels.length + label] = value);
  for (let token = 0; token < size; token++) set(token, token % labels.length, 9);
  first.forEach((token, word) => {
    if (token < 0) return;
    labels.forEach((_, l) => set(token, l, 0));
    set(token, labels.indexOf(predicted[word]), 2);
  });
  return logits;
}

/** Sentences as tags between spaces; a sentence may be read only in part. */
export type Sentence = [truth: string, predicted: string, read?: number];

/** The metrics of predictions for sentences. */
export function spanScores(labels: readonly string[], ...sentences: Sentence[]) {
  const scorer = spanScorer({ labels });
  for (const [truth, predicted, read] of sentences) {
    const example = tagged(truth.split(' '), { labels, read });
    scorer.add(example, predicting(example, predicted.split(' '), labels));
  }
  return scorer.metrics(0);
}
