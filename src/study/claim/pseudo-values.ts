import type { MetricName } from '../../experiment/metrics';
import {
  f1Of,
  macroF1Of,
  matthewsOf,
  type LabelCounts,
  weightedF1Of,
} from '../../experiment/scores/label-scores';
import { ratio } from '../../experiment/scores/ratio';
import { ANSWER_FOUND, ANSWER_MISSED, ANSWER_SPURIOUS } from '../../protocol/answers/found';
import { type Answers, wrongOf } from '../../protocol/answers/kinds';
import type { LabelAnswers } from '../../protocol/answers/label';
import type { NumberAnswers } from '../../protocol/answers/number';
import type { PictureAnswers } from '../../protocol/answers/picture';
import type { TextColumns } from '../../protocol/answers/text';
import { rightByMetric, type WrittenAnswers } from '../../protocol/answers/written';
import { meanOf } from '../statistics/summary';
import { type LeftOut, leftOutOfLabels, leftOutOfLabelSets, leftOutOfSums } from './left-out';
import { leftOutOfPearson, leftOutOfSpearman } from './left-out-correlation';
import type { TestedRun } from './verdict';

/** A value of each example, whose mean is the metric; or, for other metrics, the metric without each example. */
type ByExample = Float64Array | LeftOut;

const correct = (answers: Answers): Float64Array =>
  new Float64Array(wrongOf(answers)).map((wrong) => 1 - wrong);

const loss = ({ columns }: Answers): Float64Array => columns.loss;

const ofLabels =
  (score: (counts: LabelCounts) => number) =>
  ({ columns: { label, predicted }, labels }: LabelAnswers): LeftOut =>
    leftOutOfLabels(label, predicted, labels.length, score);

/** A score of how many answers are found, missed and spurious, over all examples. */
const ofFound =
  (score: (found: number, missed: number, spurious: number) => number) =>
  (examples: number, answers: { example: Uint32Array; found: Uint8Array }): LeftOut => {
    const counts = [ANSWER_FOUND, ANSWER_MISSED, ANSWER_SPURIOUS].map((kind) => {
      const ofKind = new Float64Array(examples);
      answers.found.forEach((found, k) => (ofKind[answers.example[k]] += Number(found === kind)));
      return ofKind;
    });
    return leftOutOfSums(counts, score);
  };

const foundF1 = ofFound((found, missed, spurious) => ratio(2 * found, 2 * found + missed + spurious));
const foundPrecision = ofFound((found, _, spurious) => ratio(found, found + spurious));
const foundRecall = ofFound((found, missed) => ratio(found, found + missed));

const ofNumbers =
  (correlation: (truth: Float64Array, predicted: Float64Array) => LeftOut) =>
  ({ columns: { value, predicted } }: NumberAnswers): LeftOut =>
    correlation(value, predicted);

const rmse = ({ columns: { value, predicted } }: NumberAnswers): LeftOut => {
  const squares = value.map((v, i) => (v - predicted[i]) ** 2);
  return leftOutOfSums([squares, squares.map(() => 1)], (sum, n) => Math.sqrt(sum / n));
};

interface OfTokens {
  columns: TextColumns;
}

/** A score of the loss over all tokens: a text's own loss is the mean over its tokens. */
const ofTokens =
  (score: (loss: number) => number) =>
  ({ columns: { loss: means, answered } }: OfTokens): LeftOut =>
    leftOutOfSums([means.map((mean, i) => mean * answered[i]), answered], (sum, tokens) =>
      score(sum / tokens),
    );

const tokenAccuracy = ({ columns: { right, answered } }: OfTokens): LeftOut =>
  leftOutOfSums([right, answered], ratio);

const BY_TOKEN = { loss: ofTokens((mean) => mean), perplexity: ofTokens(Math.exp), tokenAccuracy };

/** Undefined for a metric whose method did not judge the answers. */
const ofWritten =
  (metric: MetricName) =>
  (answers: WrittenAnswers): ByExample | undefined => {
    const right = rightByMetric(answers)[metric];
    return right && new Float64Array(right);
  };

/** The mean over the amounts of noise of each image, which are no independent examples. */
function lossOfImages({ columns: { line, loss: losses } }: PictureAnswers): Float64Array {
  const images = new Map<number, number[]>();
  line.forEach((image, i) => {
    const known = images.get(image);
    if (known) known.push(losses[i]);
    else images.set(image, [losses[i]]);
  });
  return Float64Array.from(images.values(), meanOf);
}

/**
 * The metrics that can be told apart by example from what is kept of predictions. Left out are top-5 accuracy and mean
 * average precision, which need the scores of labels that are neither true nor predicted; tag accuracy and the loss of
 * spans, which need the number of each text's words; and the loss of choices, which needs the tokens of each answer.
 */
const BY_EXAMPLE: {
  [A in Answers as A['answer']]: Partial<Record<MetricName, (answers: A) => ByExample | undefined>>;
} = {
  label: {
    accuracy: correct,
    loss,
    f1: ofLabels(f1Of),
    macroF1: ofLabels(macroF1Of),
    weightedF1: ofLabels(weightedF1Of),
    matthews: ofLabels(matthewsOf),
  },
  labels: {
    loss,
    microF1: ({ columns, sets }) => foundF1(columns.line.length, sets),
    macroF1: ({ columns, sets: { example, label, found }, labels }) => {
      const shares = found.map((f) => (f === ANSWER_FOUND ? 2 : 1));
      return leftOutOfLabelSets({ example, label, shares }, columns.line.length, labels.length);
    },
  },
  spans: {
    entityF1: ({ columns, spans }) => foundF1(columns.line.length, spans),
    entityPrecision: ({ columns, spans }) => foundPrecision(columns.line.length, spans),
    entityRecall: ({ columns, spans }) => foundRecall(columns.line.length, spans),
  },
  number: { loss, pearson: ofNumbers(leftOutOfPearson), spearman: ofNumbers(leftOutOfSpearman), rmse },
  text: BY_TOKEN,
  written: { ...BY_TOKEN, exactMatch: ofWritten('exactMatch'), lastNumber: ofWritten('lastNumber') },
  choice: { accuracy: correct },
  picture: { loss: lossOfImages },
};

/** Kept numbers are rounded to six digits, so that a metric of them differs from the run's own by no more. */
const ROUNDING = 1e-3;

/**
 * A run as a claim's statistics read it. Its rows are the values of the examples where the metric is their mean, and
 * otherwise the jackknife's pseudo-values N·θ − (N − 1)·θ₋ᵢ, with θ₋ᵢ the metric without example i (Tukey, 1958). They
 * are shifted so that their mean is the metric, and not the jackknife's estimate without bias. For pictures, an example
 * is an image. No rows where the metric cannot be split by what is kept, where it is not that of these predictions, or
 * where it is not finite without some example.
 *
 * @param value the run's metric on the examples of `predictions`
 */
export function testedRun(metric: MetricName, predictions: Answers, value: number): TestedRun {
  const examples = predictions.columns.line.length;
  const split = BY_EXAMPLE[predictions.answer][metric] as
    ((answers: Answers) => ByExample | undefined) | undefined;
  const found = split?.(predictions);
  if (!found) return { value, examples };
  const [rows, mean] =
    found instanceof Float64Array ? [found, meanOf(found)] : [pseudoValues(found), found.value];
  const isSame = Math.abs(mean - value) <= ROUNDING * Math.abs(value) + Number.EPSILON;
  if (!isSame || !rows.every(Number.isFinite)) return { value, examples };
  const shift = value - meanOf(rows);
  return { value, examples: rows.length, rows: rows.map((v) => v + shift) };
}

/**
 * True if a verdict by rows also holds for other examples of the kind: it keeps its levels in the simulation of
 * docs/claims.md, also where methods are good at different texts. Any other verdict is about the tested examples only:
 * correlations of few examples and perplexity refute too many claims, and some metrics have not been simulated.
 */
export const generalizes = (metric: MetricName, examples: number): boolean =>
  examples >= (LEAST_EXAMPLES[metric] ?? Infinity);

/** The fewest examples with which a metric kept its levels. */
const LEAST_EXAMPLES: Readonly<Partial<Record<MetricName, number>>> = {
  accuracy: 0,
  // Shares of right answers, as accuracy is.
  exactMatch: 0,
  lastNumber: 0,
  f1: 0,
  macroF1: 0,
  weightedF1: 0,
  matthews: 0,
  loss: 0,
  pearson: 500,
  rmse: 0,
};

/** As deviations from the value, which loses no digits: θ + (N − 1)·(θ − θ₋ᵢ). */
const pseudoValues = ({ value, without }: LeftOut): Float64Array =>
  without.map((left) => value + (without.length - 1) * (value - left));
