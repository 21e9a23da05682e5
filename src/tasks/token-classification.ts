import { AuroraError } from '../base/errors';
import { labelCounts } from '../data/audit';
import { integers } from '../data/batch';
import { inferLabels, labelIndex, withKnownLabels } from '../data/labels';
import { taggedRows, type TaggedRow } from '../data/table/answer-rows';
import { wordsIn } from '../data/text/word-tokens';
import { DType } from '../graph/dtype';
import { requireTokens } from './text/shown-text';
import { checkOutput } from './check-output';
import { HEAD_BIAS, HEAD_WEIGHT } from './head';
import { unmeasuredLabels } from './label-findings';
import { mostFrequent } from './metrics/accuracy';
import { IGNORE_LABEL } from './objective';
import { softmax } from './softmax';
import { spanPredictions, spanScorer, spansOf } from './spans';
import { joinedOffsets, predictedTags, taggedText, wordLogits, type TaggedText } from './text/tagged-text';
import { readsTexts, type TextKind } from './text/text-data';

/**
 * A tag for each word: a linear head on the states of all tokens, or the model's own logits; cross-entropy. The first
 * token of a word counts, as in transformers' run_ner.py.
 */
export const tokenClassification = {
  objective: 'token-cross-entropy',
  ...readsTexts({
    format: taggedRows,
    labels: (path, rows) => inferLabels(path, new Set(allTags(rows))),
    known: (path, rows, labels, onBadRow) => withKnownLabels(path, rows, labels, onBadRow, (r) => r.tags),
    stratum: () => '',
    spans({ words, tags }) {
      const offsets = joinedOffsets(words);
      return spansOf(tags).map(({ start, end, type }) => ({
        start: offsets[2 * start],
        end: offsets[2 * end - 1],
        label: type,
      }));
    },
    encoder(tokenizer, { labels }, { model }) {
      const classes = labelIndex(labels);
      return ({ words, tags }, row) => {
        const indices = Int32Array.from(tags, (tag) => classes.get(tag)!);
        return taggedText(
          tokenizer,
          { words, tags: indices, offsets: joinedOffsets(words) },
          model.maxLength,
          row,
        );
      };
    },
  }),
  head: ({ task }, labels) =>
    task.head === 'linear' ? { classes: labels.length, weight: HEAD_WEIGHT, bias: HEAD_BIAS } : undefined,
  checkOutput: (spec, name, info, labels) =>
    checkOutput(spec, name, info, { axes: ['batch', 'sequence'], outputs: labels.length }),
  expected(examples, length) {
    const labels = new Int32Array(examples.length * length).fill(IGNORE_LABEL);
    examples.forEach(({ first, tags }, e) =>
      first.forEach((at, word) => {
        if (at >= 0) labels[e * length + at] = tags[word];
      }),
    );
    return integers(DType.int64, [examples.length, length], labels);
  },
  weight: (example) => tagsRead(example).length,
  classes: (example) => tagsRead(example),
  scorer: spanScorer,
  baseline: ({ train, validation, labels }) =>
    mostFrequent(tagsOf(train.dataset.examples), tagsOf(validation.dataset.examples), labels, 'tagAccuracy'),
  guessLoss: ({ labels }) => Math.log(labels.length),
  facts: (examples, { labels }) => ({ labels: labelCounts(tagsOf(examples), labels) }),
  findings: (_, data) => unmeasuredLabels(data),
  predictions: spanPredictions,
  ask({ text }, { tokenizer, labels }, maxLength) {
    const words = wordsIn(text);
    if (words.length === 0) throw new AuroraError('data', 'This text has no words.', 'Type some words.');
    const offsets = Int32Array.from(words.flatMap(({ start, end }) => [start, end]));
    const read = { words: words.map((w) => w.word), tags: new Int32Array(words.length), offsets };
    const example = taggedText(tokenizer, read, maxLength, 0);
    requireTokens(example);
    return {
      example,
      answer: (logits) => ({
        spans: spansOf(predictedTags(example, logits, labels)).map(({ start, end, type }) => ({
          start: offsets[2 * start],
          end: offsets[2 * end - 1],
          label: type,
          probability: probabilityOf(example, logits, start, end),
        })),
      }),
    };
  },
} satisfies TextKind<TaggedText>;

/** The tags of the words that the model reads. */
const tagsRead = ({ first, tags }: Pick<TaggedText, 'first' | 'tags'>): number[] =>
  [...tags].filter((_, word) => first[word] >= 0);

function* allTags(rows: Iterable<TaggedRow>): Iterable<string> {
  for (const { tags } of rows) yield* tags;
}

function* tagsOf(examples: Iterable<TaggedText>): Iterable<number> {
  for (const { tags } of examples) yield* tags;
}

/** The probability of a span: the smallest one of its words' tags. */
function probabilityOf(example: TaggedText, logits: Float32Array, start: number, end: number): number {
  let least = 1;
  for (let word = start; word < end; word++) {
    const own = wordLogits(example, word, logits);
    if (own) least = Math.min(least, Math.max(...softmax(own)));
  }
  return least;
}
