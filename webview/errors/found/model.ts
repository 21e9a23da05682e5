import { foundCounts } from '../../../src/protocol/errors-view/found-counts';
import { ANSWER_MISSED, ANSWER_SPURIOUS, type SpanColumns } from '../../../src/protocol/prediction-columns';

/** Spans of one type, or one label, wrong in the same way. */
export interface Mistake {
  label: number;
  found: typeof ANSWER_MISSED | typeof ANSWER_SPURIOUS;
  count: number;
}

/** What an example may have several of, in its data, predicted, or both. */
export interface FoundPart {
  /** An index into the labels. */
  label: number;
  /** ANSWER_MISSED, ANSWER_SPURIOUS or ANSWER_FOUND. */
  found: number;
}

export function foundParts<T extends FoundPart>(
  columns: Pick<SpanColumns, 'label' | 'found'>,
  labels: number,
  byExample: ReadonlyMap<number, readonly T[]>,
) {
  const counts = foundCounts(columns, labels);
  return {
    counts,
    mistakes: counts
      .flatMap(({ label, missed, spurious }): Mistake[] => [
        { label, found: ANSWER_MISSED, count: missed },
        { label, found: ANSWER_SPURIOUS, count: spurious },
      ])
      .filter((m) => m.count > 0)
      .sort((a, b) => b.count - a.count),
    partsOf: (example: number): readonly T[] => byExample.get(example) ?? [],
  };
}
