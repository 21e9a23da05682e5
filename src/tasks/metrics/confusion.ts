import {
  accuracyOf,
  f1Of,
  type LabelCounts,
  macroF1Of,
  matthewsOf,
  weightedF1Of,
} from '../../experiment/scores/label-scores';
import { ratio } from '../../experiment/scores/ratio';
import type { AbsentLabels } from '../../protocol/absent-labels';

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

  accuracy(): number {
    return accuracyOf(this.byLabel());
  }

  f1(): number {
    return f1Of(this.byLabel());
  }

  macroF1(): number {
    return macroF1Of(this.byLabel());
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

  weightedF1(): number {
    return weightedF1Of(this.byLabel());
  }

  matthews(): number {
    return matthewsOf(this.byLabel());
  }

  private byLabel(): LabelCounts {
    const of = (count: (label: number) => number) =>
      Float64Array.from({ length: this.labels }, (_, k) => count(k));
    return {
      right: of((k) => this.at(k, k)),
      actual: of((k) => this.row(k)),
      predicted: of((k) => this.column(k)),
      total: this.total,
    };
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
