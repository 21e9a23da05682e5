import {
  areColumns,
  arraysOf,
  COLUMNS,
  type AnswersInWords,
  type ParseAnswers,
  type WrongAnswers,
  type ColumnsOf,
  type Lists,
} from './answer-kind';
import { accuracyOf, FEW, slicesOf, type Slice } from './slices';

export const LABEL_COLUMNS = {
  ...COLUMNS,
  /** The true and the predicted label, as indices into `labels`. */
  label: Uint32Array,
  predicted: Uint32Array,
  /** Probabilities of the predicted and the true label. */
  probability: Float64Array,
  truth: Float64Array,
} as const;
export type LabelColumns = ColumnsOf<typeof LABEL_COLUMNS>;
export const labelColumns = (lists: Lists): LabelColumns => arraysOf(LABEL_COLUMNS, lists);

export interface LabelAnswers {
  answer: 'label';
  /** In the order of the model's outputs. */
  labels: string[];
  columns: LabelColumns;
}

/** A model's answer to one input: the probability of each label, or of each choice of the question. */
export interface LiveShares {
  probabilities: number[];
  choices?: readonly string[];
}

export const parseLabel: ParseAnswers<LabelAnswers> = ({ labels, columns }) => {
  const ends = { label: labels.length, predicted: labels.length };
  return labels.length > 0 && areColumns(columns, LABEL_COLUMNS, ends, 1)
    ? { answer: 'label', labels, columns: labelColumns(columns) }
    : undefined;
};

export const labelWrong: WrongAnswers<LabelAnswers> = ({ columns: { label, predicted } }) =>
  Uint8Array.from(label, (l, i) => Number(l !== predicted[i]));

export const labelWords: AnswersInWords<LabelAnswers> = ({
  labels,
  columns: { label, predicted, probability },
}) => ({
  truth: (i) => labels[label[i]],
  predicted: (i) => ({ said: labels[predicted[i]], probability: probability[i] }),
});

/** The number of examples of each label that were predicted as each: `counts[label * labels + predicted]`. */
export interface Confusion {
  labels: number;
  counts: Uint32Array;
}

export interface ConfusedPair {
  label: number;
  predicted: number;
  count: number;
  /** Share of the label's examples. */
  share: number;
}

export function confusionOf({ label, predicted }: LabelColumns, labels: number): Confusion {
  const counts = new Uint32Array(labels * labels);
  for (let i = 0; i < label.length; i++) counts[label[i] * labels + predicted[i]]++;
  return { labels, counts };
}

/** The number of examples with a label. */
export const supportOf = ({ labels, counts }: Confusion, label: number): number =>
  counts.subarray(label * labels, (label + 1) * labels).reduce((a, b) => a + b, 0);

/** Labels predicted as other labels, most frequent first. */
export function confusedPairs(confusion: Confusion): ConfusedPair[] {
  const { labels, counts } = confusion;
  return [...counts.keys()]
    .map((k) => ({ label: Math.floor(k / labels), predicted: k % labels, count: counts[k] }))
    .filter(({ label, predicted, count }) => label !== predicted && count > 0)
    .sort((a, b) => b.count - a.count)
    .map((pair) => ({ ...pair, share: pair.count / supportOf(confusion, pair.label) }));
}

/** The labels most often confused with others; at most `most`, in their own order. */
export function mostConfused({ labels, counts }: Confusion, most: number): number[] {
  const mistakes = new Float64Array(labels);
  counts.forEach((n, k) => {
    const [label, predicted] = [Math.floor(k / labels), k % labels];
    if (label === predicted) return;
    mistakes[label] += n;
    mistakes[predicted] += n;
  });
  return [...mistakes.keys()]
    .sort((a, b) => mistakes[b] - mistakes[a])
    .slice(0, most)
    .sort((a, b) => a - b);
}

/** A slice for each true label, in the labels' order. */
export const labelSlices = (columns: LabelColumns, wrong: Uint8Array, labels: number): Slice[] =>
  slicesOf(columns, wrong, labels, (i) => columns.label[i]);

/**
 * The labels that a model does worst on, worst first; then those with too few examples to judge. Labels without
 * examples are omitted.
 */
export function worstLabels(all: readonly Slice[]): number[] {
  const few = (label: number) => Number(all[label].count < FEW);
  return [...all.keys()]
    .filter((label) => all[label].count > 0)
    .sort((a, b) => few(a) - few(b) || accuracyOf(all[a]) - accuracyOf(all[b]) || all[b].loss - all[a].loss);
}
