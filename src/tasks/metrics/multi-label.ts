import { ratio } from '../../experiment/scores/ratio';
import type { AbsentLabels } from '../../protocol/absent-labels';

/** The column of a label over all examples. */
interface Column {
  truth: boolean[];
  logits: number[];
}

/**
 * The metrics of examples that each have any number of labels. A label is predicted if its logit is above 0, that is, its
 * probability above 0.5. All metrics are from 0 to 1, and 0 of no examples.
 */
export class MultiLabelScores {
  private readonly columns: Column[];
  private total = 0;

  constructor(labels: number) {
    this.columns = Array.from({ length: labels }, () => ({ truth: [], logits: [] }));
  }

  /**
   * @param truth one number for each label: 1 if the example has it, else 0
   * @param logits one finite number for each label
   */
  add(truth: ArrayLike<number>, logits: ArrayLike<number>): void {
    for (const { length } of [truth, logits])
      if (length !== this.columns.length)
        throw new RangeError(`${length} values for ${this.columns.length} labels.`);
    this.columns.forEach((column, label) => {
      column.truth.push(truth[label] === 1);
      column.logits.push(logits[label]);
    });
    this.total++;
  }

  get examples(): number {
    return this.total;
  }

  /**
   * F1 over all pairs of example and label (scikit-learn's f1_score with average="micro"); 0 if no example has or gets a
   * label.
   */
  microF1(): number {
    return f1(this.columns);
  }

  /**
   * The mean of F1 over all labels (scikit-learn's f1_score with average="macro" and zero_division=0). A label that
   * neither occurs nor is predicted counts as 0, and is not left out as in `ConfusionMatrix.macroF1`: scikit-learn does
   * both.
   */
  macroF1(): number {
    return this.mean((column) => f1([column]));
  }

  /** Labels that no example has: each takes part in macro F1, with 0. Undefined if there are none. */
  absentLabels(labels: readonly string[]): AbsentLabels | undefined {
    const absent = this.columns.flatMap(({ truth, logits }, l) =>
      truth.includes(true) ? [] : [{ label: labels[l], predicted: logits.filter((x) => x > 0).length }],
    );
    if (absent.length === 0) return undefined;
    const all = this.columns.length;
    return { labels: absent, macroF1: ratio(this.macroF1() * all, all - absent.length) };
  }

  /**
   * The mean of average precision over all labels (scikit-learn's average_precision_score with average="macro"). A label
   * that no example has counts as 0, as there.
   */
  meanAveragePrecision(): number {
    return this.mean(({ truth, logits }) => averagePrecision(truth, logits));
  }

  private mean(of: (column: Column) => number): number {
    const sum = this.columns.reduce((before, column) => before + of(column), 0);
    return ratio(sum, this.columns.length);
  }
}

/** F1 over the pairs of example and label in these columns. */
function f1(columns: readonly Column[]): number {
  let [found, wanted, made] = [0, 0, 0];
  for (const { truth, logits } of columns)
    truth.forEach((isTrue, i) => {
      const isPredicted = logits[i] > 0;
      if (isTrue) wanted++;
      if (isPredicted) made++;
      if (isTrue && isPredicted) found++;
    });
  return ratio(2 * found, wanted + made);
}

/**
 * The sum over thresholds of precision times the gain in recall, without interpolation (scikit-learn's
 * average_precision_score). Each distinct score is one threshold, so equal scores are found together and their order
 * does not matter.
 *
 * @param truth for each example whether it is positive
 * @param scores as many finite numbers, of which only the order counts
 * @returns from 0 to 1; 0 without a positive example, as scikit-learn, which warns
 */
export function averagePrecision(truth: readonly boolean[], scores: ArrayLike<number>): number {
  const order = truth.map((_, i) => i).sort((i, j) => scores[j] - scores[i]);
  let [sum, found] = [0, 0];
  for (let start = 0, end = 0; start < order.length; start = end) {
    const before = found;
    for (; end < order.length && scores[order[end]] === scores[order[start]]; end++)
      if (truth[order[end]]) found++;
    sum += (found - before) * (found / end);
  }
  return ratio(sum, found);
}
