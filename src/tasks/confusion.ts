/** Counts of (true label, predicted label), and the classification metrics that follow from them. */
export class ConfusionMatrix {
  /** Row-major: `counts[actual * labels + predicted]`. */
  readonly counts: Float64Array;
  private total = 0;

  constructor(readonly labels: number) {
    this.counts = new Float64Array(labels * labels);
  }

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

  /** Share of right predictions; 0 of no examples. */
  accuracy(): number {
    let right = 0;
    for (let k = 0; k < this.labels; k++) right += this.at(k, k);
    return ratio(right, this.total);
  }

  /**
   * Two labels: F1 of label 1. More: the mean over labels (macro), without those that neither occur nor
   * are predicted, as scikit-learn's f1_score. A label never predicted or never true has F1 0.
   */
  f1(): number {
    if (this.labels === 2) return ratio(2 * this.at(1, 1), this.row(1) + this.column(1));
    let sum = 0;
    let seen = 0;
    for (let k = 0; k < this.labels; k++) {
      const support = this.row(k) + this.column(k);
      if (support === 0) continue;
      sum += (2 * this.at(k, k)) / support;
      seen++;
    }
    return ratio(sum, seen);
  }

  /** Matthews correlation, generalized to many labels (Gorodkin, 2004; scikit-learn's matthews_corrcoef); 0 where undefined. */
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

  private at(actual: number, predicted: number): number {
    return this.counts[actual * this.labels + predicted];
  }

  /** How often a label is true. */
  private row(label: number): number {
    let sum = 0;
    for (let k = 0; k < this.labels; k++) sum += this.at(label, k);
    return sum;
  }

  /** How often a label is predicted. */
  private column(label: number): number {
    let sum = 0;
    for (let k = 0; k < this.labels; k++) sum += this.at(k, label);
    return sum;
  }
}

const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b);
