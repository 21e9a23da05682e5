import { ratio } from './ratio';

/**
 * Counts of each label: predicted rightly, true, and predicted. All scores of one label per example follow from
 * these; each array has one number for each label.
 */
export interface LabelCounts {
  right: Float64Array;
  actual: Float64Array;
  predicted: Float64Array;
  /** Number of examples. */
  total: number;
}

/** Share of right predictions (scikit-learn's accuracy_score). In [0, 1]; 0 of no examples. */
export const accuracyOf = ({ right, total }: LabelCounts): number => ratio(sumOf(right), total);

/** Two labels: F1 of label 1 (scikit-learn's f1_score with average="binary"). Otherwise the macro F1. In [0, 1]. */
export const f1Of = (counts: LabelCounts): number =>
  counts.right.length === 2 ? ofLabel(counts, 1) : macroF1Of(counts);

/**
 * The mean of F1 over labels, without those that neither occur nor are predicted, as scikit-learn's f1_score with
 * average="macro". In [0, 1]. A label never predicted or never true has F1 0; so have no examples.
 */
export function macroF1Of(counts: LabelCounts): number {
  let sum = 0;
  let seen = 0;
  for (let k = 0; k < counts.right.length; k++) {
    if (counts.actual[k] + counts.predicted[k] === 0) continue;
    sum += ofLabel(counts, k);
    seen++;
  }
  return ratio(sum, seen);
}

/**
 * The mean of F1 over labels, each weighted by how often it is true (scikit-learn's f1_score with average="weighted").
 * In [0, 1]; 0 of no examples.
 */
export function weightedF1Of(counts: LabelCounts): number {
  let sum = 0;
  for (let k = 0; k < counts.right.length; k++) sum += counts.actual[k] * ofLabel(counts, k);
  return ratio(sum, counts.total);
}

/**
 * Matthews correlation, generalized to many labels (Gorodkin, 2004; scikit-learn's matthews_corrcoef). In [−1, 1]; 0
 * where undefined: if only one label is true, or only one is predicted.
 */
export function matthewsOf({ right, actual, predicted, total: n }: LabelCounts): number {
  let [both, trueSquares, predictedSquares] = [0, 0, 0];
  for (let k = 0; k < right.length; k++) {
    both += actual[k] * predicted[k];
    trueSquares += actual[k] * actual[k];
    predictedSquares += predicted[k] * predicted[k];
  }
  return ratio(n * sumOf(right) - both, Math.sqrt(n * n - predictedSquares) * Math.sqrt(n * n - trueSquares));
}

/** Harmonic mean of a label's precision and recall. */
const ofLabel = ({ right, actual, predicted }: LabelCounts, label: number): number =>
  ratio(2 * right[label], actual[label] + predicted[label]);

const sumOf = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
