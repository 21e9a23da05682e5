import type { Outputs } from '../../protocol/outputs';
import { distinctLabels } from '../../data/labels';
import { type SpanAnswers, spanColumns } from '../../protocol/answers/spans';
import { commonColumns } from '../../protocol/answers/answer-kind';
import { ANSWER_FOUND, ANSWER_MISSED, ANSWER_SPURIOUS } from '../../protocol/answers/found';
import { exampleColumns, marginOf, rounded } from '../answers/predictions';
import { argmax, crossEntropy, softmax } from '../softmax';
import { spansOf, typeOf, type WordSpan } from './spans';
import { predictedTags, trueTags, wordLogits, type TaggedText } from '../text/tagged-text';
import type { DataSplit } from '../task-data';

/** The types of the spans that tags can mark. */
export const spanTypes = (labels: readonly string[]): string[] =>
  distinctLabels(labels.flatMap((tag) => typeOf(tag) ?? []));

export const keyOf = ({ start, end, type }: WordSpan): string => `${start} ${end} ${type}`;

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
