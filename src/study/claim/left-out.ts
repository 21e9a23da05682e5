import {
  accuracyOf,
  f1Of,
  type LabelCounts,
  macroF1Of,
  matthewsOf,
  weightedF1Of,
} from '../../experiment/scores/label-scores';
import { ratio } from '../../experiment/scores/ratio';

/** A metric over all examples, and over all but each of them. */
export interface LeftOut {
  value: number;
  /** By the example that is left out. */
  without: Float64Array;
}

/**
 * A metric that is a function of sums over the examples, in O(examples).
 *
 * @param terms of each sum, one number for each example
 * @param metric gets as many sums
 */
export function leftOutOfSums<T extends readonly ArrayLike<number>[]>(
  terms: T,
  metric: (...sums: { [K in keyof T]: number }) => number,
): LeftOut {
  const sums = terms.map((term) => new Float64Array(term).reduce((a, b) => a + b, 0));
  const of = metric as (...sums: number[]) => number;
  const left = new Array<number>(terms.length);
  const without = new Float64Array(terms[0].length);
  for (let i = 0; i < without.length; i++) {
    for (let k = 0; k < terms.length; k++) left[k] = sums[k] - terms[k][i];
    without[i] = of(...left);
  }
  return { value: of(...sums), without };
}

/** The scores of one label per example. */
export const LABEL_SCORES = {
  accuracy: accuracyOf,
  f1: f1Of,
  macroF1: macroF1Of,
  weightedF1: weightedF1Of,
  matthews: matthewsOf,
} as const;

/**
 * A score of one label per example. All examples with the same true and predicted label change it by the same amount,
 * so that it takes O(examples + labels · pairs), with at most labels² such pairs.
 *
 * @param label of each example, an index below `labels`
 * @param predicted as many
 */
export function leftOutOfLabels(
  label: ArrayLike<number>,
  predicted: ArrayLike<number>,
  labels: number,
  score: (counts: LabelCounts) => number,
): LeftOut {
  const counts = {
    right: new Float64Array(labels),
    actual: new Float64Array(labels),
    predicted: new Float64Array(labels),
    total: 0,
  };
  const count = (actual: number, said: number, by: 1 | -1) => {
    if (actual === said) counts.right[actual] += by;
    counts.actual[actual] += by;
    counts.predicted[said] += by;
    counts.total += by;
  };
  for (let i = 0; i < label.length; i++) count(label[i], predicted[i], 1);
  const value = score(counts);
  const known = new Map<number, number>();
  const without = new Float64Array(label.length);
  for (let i = 0; i < label.length; i++) {
    const pair = label[i] * labels + predicted[i];
    let left = known.get(pair);
    if (left === undefined) {
      count(label[i], predicted[i], -1);
      known.set(pair, (left = score(counts)));
      count(label[i], predicted[i], 1);
    }
    without[i] = left;
  }
  return { value, without };
}

/**
 * Macro F1 of several labels per example: the mean over all labels, also those that neither occur nor are predicted
 * (scikit-learn's f1_score of label indicators). In O(answers).
 *
 * @param answers each label of each example that is true, predicted, or both: 2 for both, otherwise 1, which is its
 *     share of 2·found + missed + spurious
 */
export function leftOutOfLabelSets(
  answers: { example: ArrayLike<number>; label: ArrayLike<number>; shares: ArrayLike<number> },
  examples: number,
  labels: number,
): LeftOut {
  const { example, label, shares } = answers;
  const both = new Float64Array(labels);
  const all = new Float64Array(labels);
  for (let k = 0; k < label.length; k++) {
    if (shares[k] === 2) both[label[k]] += 2;
    all[label[k]] += shares[k];
  }
  const f1 = (l: number) => ratio(both[l], all[l]);
  let value = 0;
  for (let l = 0; l < labels; l++) value += f1(l) / labels;
  const without = new Float64Array(examples).fill(value);
  for (let k = 0; k < label.length; k++) {
    const l = label[k];
    const left = ratio(both[l] - (shares[k] === 2 ? 2 : 0), all[l] - shares[k]);
    without[example[k]] += (left - f1(l)) / labels;
  }
  return { value, without };
}
