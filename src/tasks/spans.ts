import { distinctLabels } from '../data/labels';
import { ratio } from '../experiment/scores/ratio';
import { commonColumns } from '../protocol/answers/answer-kind';
import { ANSWER_FOUND, ANSWER_MISSED, ANSWER_SPURIOUS } from '../protocol/answers/found';
import { type SpanAnswers, spanColumns } from '../protocol/answers/spans';
import type { Outputs } from '../protocol/outputs';
import { exampleColumns, marginOf, rounded } from './answers';
import type { Scorer } from './kind';
import { argmax, crossEntropy, softmax } from './softmax';
import type { DataSplit } from './task-data';
import { predictedTags, type TaggedText, trueTags, wordLogits } from './text/tagged-text';

/** Some words that are one entity. */
interface WordSpan {
  /** Word positions; the end is exclusive. */
  start: number;
  end: number;
  type: string;
}

type Mark = 'B' | 'I' | 'E' | 'S' | 'O';

/** IOBES and BILOU letters as one set. */
const MARKS: Readonly<Record<string, Mark>> = { B: 'B', I: 'I', E: 'E', S: 'S', L: 'E', U: 'S' };

/** The type of spans whose tags are only letters, as in seqeval. */
const NO_TYPE = '_';

/** A tag without a prefix, such as a part of speech, marks a span of that type. */
function parseTag(tag: string): { mark: Mark; type: string } {
  if (tag === 'O') return { mark: 'O', type: '' };
  const [, letter, type] = /^([BIESLU])(?:-(.*))?$/s.exec(tag) ?? [];
  return letter === undefined ? { mark: 'I', type: tag } : { mark: MARKS[letter], type: type || NO_TYPE };
}

/** The type of the spans that a tag is part of; undefined for O. */
export const typeOf = (tag: string): string | undefined => (tag === 'O' ? undefined : parseTag(tag).type);

/**
 * The entities that tags mark, in IOB2, IOB1, IOBES or BILOU. Tags that break the scheme count as in seqeval's default
 * mode, which is that of the CoNLL-2000 script conlleval: an I without a B before it starts an entity.
 */
export function spansOf(tags: readonly string[]): WordSpan[] {
  const spans: WordSpan[] = [];
  let before: { mark: Mark; type: string } = { mark: 'O', type: '' };
  let open: WordSpan | undefined;
  [...tags, 'O'].forEach((tag, i) => {
    const now = parseTag(tag);
    if (open && ends(before, now)) {
      spans.push({ ...open, end: i });
      open = undefined;
    }
    if (now.mark !== 'O' && starts(before, now)) open = { start: i, end: i, type: now.type };
    before = now;
  });
  return spans;
}

type Parsed = ReturnType<typeof parseTag>;

/** seqeval.metrics.sequence_labeling.end_of_chunk */
const ends = (before: Parsed, now: Parsed): boolean =>
  before.mark === 'E' ||
  before.mark === 'S' ||
  now.mark === 'B' ||
  now.mark === 'S' ||
  now.mark === 'O' ||
  before.type !== now.type;

/** seqeval.metrics.sequence_labeling.start_of_chunk */
const starts = (before: Parsed, now: Parsed): boolean =>
  now.mark === 'B' ||
  now.mark === 'S' ||
  before.mark === 'E' ||
  before.mark === 'S' ||
  before.mark === 'O' ||
  before.type !== now.type;

/** The types of the spans that tags can mark. */
export const spanTypes = (labels: readonly string[]): string[] =>
  distinctLabels(labels.flatMap((tag) => typeOf(tag) ?? []));

const keyOf = ({ start, end, type }: WordSpan): string => `${start} ${end} ${type}`;

/** @param logits of each example, in data order */
export function spanPredictions(
  split: DataSplit<TaggedText>,
  { labels }: Outputs,
  logits: readonly Float32Array[],
): SpanAnswers {
  const { examples } = split.dataset;
  const types = spanTypes(labels);
  const spans = { example: [], start: [], end: [], label: [], found: [] } as Record<string, number[]>;
  const scores = examples.map((example, i) => {
    const wanted = new Map(spansOf(trueTags(example, labels)).map((s) => [keyOf(s), s]));
    const made = new Map(spansOf(predictedTags(example, logits[i], labels)).map((s) => [keyOf(s), s]));
    const all = [...new Map([...wanted, ...made])].sort(([, a], [, b]) => a.start - b.start || a.end - b.end);
    for (const [key, { start, end, type }] of all) {
      spans.example.push(i);
      spans.start.push(example.offsets[2 * start]);
      spans.end.push(example.offsets[2 * end - 1]);
      spans.label.push(types.indexOf(type));
      spans.found.push(!made.has(key) ? ANSWER_MISSED : wanted.has(key) ? ANSWER_FOUND : ANSWER_SPURIOUS);
    }
    return wordScores(example, logits[i]);
  });
  const columns = commonColumns({
    ...exampleColumns(split),
    loss: scores.map((s) => s.loss),
    margin: scores.map((s) => s.margin),
  });
  return { answer: 'spans', labels: types, columns, spans: spanColumns(spans) };
}

/** The mean loss and the smallest margin of the words that the model reads. */
function wordScores(example: TaggedText, logits: Float32Array): { loss: number; margin: number } {
  let [loss, read, margin] = [0, 0, 1];
  example.tags.forEach((tag, word) => {
    const own = wordLogits(example, word, logits);
    if (!own) return;
    loss += crossEntropy(own, tag);
    margin = Math.min(margin, marginOf(softmax(own), argmax(own)));
    read++;
  });
  return { loss: rounded(read ? loss / read : 0), margin: rounded(margin) };
}

/**
 * Precision, recall and F1 over the entities of all examples (micro-averaged): one counts as found if its words and its
 * type are predicted exactly (seqeval.metrics.f1_score). 0 where undefined.
 */
export function spanScorer({ labels }: Outputs): Scorer<TaggedText> {
  let [examples, words, right, wanted, made, found] = [0, 0, 0, 0, 0, 0];
  return {
    add(example, logits) {
      const truth = trueTags(example, labels);
      const predicted = predictedTags(example, logits, labels);
      examples++;
      words += truth.length;
      right += truth.filter((tag, i) => tag === predicted[i]).length;
      const keys = new Set(spansOf(truth).map(keyOf));
      const others = spansOf(predicted).map(keyOf);
      wanted += keys.size;
      made += others.length;
      found += others.filter((key) => keys.has(key)).length;
    },
    metrics: () => ({
      entityF1: ratio(2 * found, wanted + made),
      entityPrecision: ratio(found, made),
      entityRecall: ratio(found, wanted),
      tagAccuracy: ratio(right, words),
      examples,
    }),
  };
}
