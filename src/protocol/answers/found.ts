/** A label or span that is only in the data, only predicted, or both. */
export const ANSWER_MISSED = 0;
export const ANSWER_SPURIOUS = 1;
export const ANSWER_FOUND = 2;

/** Several answers per example: each is in the data, predicted, or both. */
interface FoundColumns {
  example: Uint32Array;
  /** An index into the labels. */
  label: Uint32Array;
  /** ANSWER_MISSED, ANSWER_SPURIOUS or ANSWER_FOUND. */
  found: Uint8Array;
}

/** Upper limits of these columns. */
export const foundEnds = (examples: number, labels: readonly string[]): Record<string, number> => ({
  example: examples,
  label: labels.length,
  found: ANSWER_FOUND + 1,
});

/** 1 for each example with a missed or a spurious answer. */
export function wrongParts({ example, found }: FoundColumns, examples: number): Uint8Array {
  const wrong = new Uint8Array(examples);
  found.forEach((f, i) => {
    if (f !== ANSWER_FOUND) wrong[example[i]] = 1;
  });
  return wrong;
}

/** An example's true answers, and its predicted ones, in words. */
export function foundWords({ example, found }: FoundColumns, word: (part: number) => string) {
  const joined = (of: number, other: number) =>
    [...found.keys()]
      .filter((k) => example[k] === of && found[k] !== other)
      .map(word)
      .join(' · ');
  return {
    truth: (of: number) => joined(of, ANSWER_SPURIOUS),
    predicted: (of: number) => ({ said: joined(of, ANSWER_MISSED) }),
  };
}

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
  { label, found }: Pick<FoundColumns, 'label' | 'found'>,
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
