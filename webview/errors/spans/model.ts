import { spansByExample, type ExampleSpan } from '../../../src/protocol/errors-view/example-spans';
import { foundCounts } from '../../../src/protocol/errors-view/found-counts';
import { ANSWER_MISSED, ANSWER_SPURIOUS, type SpanAnswers } from '../../../src/protocol/predictions';

/** Spans of one type that are wrong in the same way. */
export interface Mistake {
  type: number;
  found: typeof ANSWER_MISSED | typeof ANSWER_SPURIOUS;
  count: number;
}

export function spanParts({ answer, labels, spans }: SpanAnswers) {
  const types = foundCounts(spans, labels.length);
  return {
    answer,
    types,
    mistakes: types
      .flatMap(({ label: type, missed, spurious }): Mistake[] => [
        { type, found: ANSWER_MISSED, count: missed },
        { type, found: ANSWER_SPURIOUS, count: spurious },
      ])
      .filter((m) => m.count > 0)
      .sort((a, b) => b.count - a.count),
    byExample: spansByExample(spans),
  };
}

export const spansOf = (
  { byExample }: Pick<ReturnType<typeof spanParts>, 'byExample'>,
  example: number,
): readonly ExampleSpan[] => byExample.get(example) ?? [];
