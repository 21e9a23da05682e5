import { ANSWER_FOUND, ANSWER_MISSED, ANSWER_SPURIOUS, type SpanColumns } from '../prediction-columns';

/** The counts for one type or label, over all examples. */
export interface FoundCounts {
  /** An index into the labels. */
  label: number;
  /** The numbers in the data and predicted, in the data alone, and predicted alone. */
  found: number;
  missed: number;
  spurious: number;
  /** Shares in [0, 1]; undefined without a predicted or a true span. */
  precision?: number;
  recall?: number;
  /** Harmonic mean of the two: 2·found / (2·found + missed + spurious). */
  f1: number;
}

/** Each type or label that occurs, the worst F1 first. */
export function foundCounts(
  { label, found }: Pick<SpanColumns, 'label' | 'found'>,
  labels: number,
): FoundCounts[] {
  const counts = Array.from({ length: labels }, () => [0, 0, 0]);
  label.forEach((l, i) => counts[l][found[i]]++);
  return counts
    .map((c, l): FoundCounts => {
      const [both, missed, spurious] = [c[ANSWER_FOUND], c[ANSWER_MISSED], c[ANSWER_SPURIOUS]];
      return {
        label: l,
        found: both,
        missed,
        spurious,
        ...(both + spurious > 0 && { precision: both / (both + spurious) }),
        ...(both + missed > 0 && { recall: both / (both + missed) }),
        f1: (2 * both) / (2 * both + missed + spurious),
      };
    })
    .filter((t) => t.found + t.missed + t.spurious > 0)
    .sort((a, b) => a.f1 - b.f1 || a.label - b.label);
}
