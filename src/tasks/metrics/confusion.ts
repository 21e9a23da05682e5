import type { AbsentLabels } from '../../protocol/absent-labels';
import { ratio } from './accuracy';

/** Counts of (true label, predicted label), and the classification metrics that follow from them. */
export class ConfusionMatrix {
  /** Row-major: `counts[actual * labels + predicted]`. */
  readonly counts: Float64Array;
  private total = 0;

  constructor(readonly labels: number) {
    this.counts = new Float64Array(labels * labels);
  }

  /** @throws RangeError if one of them is not the index of a label */
  add(actual: number, predicted: number): void {
    for (const label of [actual, predicted])
      if (!Number.isInteger(label) || label < 0 || label >= this.labels)
        throw new RangeError(`Label ${label} is not one of the ${this.labels} labels.`);
    this.counts[actual * this.labels + predicted]++;
    this.total++;
  }

  get examples(): number {
    return this.total;
  }

  /** Share of right predictions (scikit-learn's accuracy_score). In [0, 1]; 0 of no examples. */
  accuracy(): number {
    let right = 0;
    for (let k = 0; k < this.labels; k++) right += this.at(k, k);
    return ratio(right, this.total);
  }

  /** Two labels: F1 of label 1 (scikit-learn's f1_score with average="binary"). Otherwise the macro F1. In [0, 1]. */
  f1(): number {
    return this.labels === 2 ? this.f1Of(1) : this.macroF1();
  }

  /**
   * The mean of F1 over labels, without those that neither occur nor are predicted, as scikit-learn's f1_score with
   * average="macro". In [0, 1]. A label never predicted or never true has F1 0; so have no examples.
   */
  macroF1(): number {
    let sum = 0;
    let seen = 0;
    for (let k = 0; k < this.labels; k++) {
      if (this.row(k) + this.column(k) === 0) continue;
      sum += this.f1Of(k);
      seen++;
    }
    return ratio(sum, seen);
  }

  /** Labels that are predicted but never true: each takes part in macro F1, with 0. Undefined if there are none. */
  absentLabels(labels: readonly string[]): AbsentLabels | undefined {
    const absent = labels.flatMap((label, k) =>
      this.row(k) === 0 && this.column(k) > 0 ? [{ label, predicted: this.column(k) }] : [],
    );
    if (absent.length === 0) return undefined;
    const seen = labels.filter((_, k) => this.row(k) + this.column(k) > 0).length;
    return { labels: absent, macroF1: ratio(this.macroF1() * seen, seen - absent.length) };
  }

  /**
   * The mean of F1 over labels, each weighted by how often it is true (scikit-learn's f1_score with
   * average="weighted"). In [0, 1]; 0 of no examples.
   */
  weightedF1(): number {
    let sum = 0;
    for (let k = 0; k < this.labels; k++) sum += this.row(k) * this.f1Of(k);
    return ratio(sum, this.total);
  }

  /**
   * Matthews correlation, generalized to many labels (Gorodkin, 2004; scikit-learn's matthews_corrcoef). In [−1, 1]; 0
   * where undefined: if only one label is true, or only one is predicted.
   */
  matthews(): number {
    let right = 0;
    let both = 0;
    let actual = 0;
    let predicted = 0;
    for (let k = 0; k < this.labels; k++) {
      const t = this.row(k);
      const p = this.column(k);
      right += this.at(k, k);
      both += t * p;
      actual += t * t;
      predicted += p * p;
    }
    const n = this.total;
    return ratio(n * right - both, Math.sqrt(n * n - predicted) * Math.sqrt(n * n - actual));
  }

  /** Harmonic mean of a label's precision and recall. */
  private f1Of(label: number): number {
    return ratio(2 * this.at(label, label), this.row(label) + this.column(label));
  }

  private at(actual: number, predicted: number): number {
    return this.counts[actual * this.labels + predicted];
  }

  /** The number of times that a label is true. */
  private row(label: number): number {
    let sum = 0;
    for (let k = 0; k < this.labels; k++) sum += this.at(label, k);
    return sum;
  }

  /** The number of times that a label is predicted. */
  private column(label: number): number {
    let sum = 0;
    for (let k = 0; k < this.labels; k++) sum += this.at(k, label);
    return sum;
  }
}
