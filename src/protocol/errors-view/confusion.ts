import type { LabelColumns } from '../prediction-columns';

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
