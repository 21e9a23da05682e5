import type { PlaySample, PlaySpan, TextSpan } from '../../../src/protocol/playground';
import type { MarkedSpan } from '../../spans/segments';
import type { Column } from '../columns';

/** A column's spans and their text; undefined if it has no answer yet, or answers otherwise. */
export function spansOf({ answer }: Column): { spans: PlaySpan[]; asked: string } | undefined {
  const { prediction, asked } = answer ?? {};
  return prediction?.spans && asked !== undefined ? { spans: prediction.spans, asked } : undefined;
}

/** The spans of the data in this text; undefined if it is not the validation text. */
export const truthOf = (asked: string, sample: PlaySample | undefined): TextSpan[] | undefined =>
  sample?.text === asked ? sample.spans : undefined;

const isSame = (a: TextSpan, b: TextSpan): boolean =>
  a.start === b.start && a.end === b.end && a.label === b.label;

export const isAmong = (span: TextSpan, others: readonly TextSpan[]): boolean =>
  others.some((other) => isSame(span, other));

/**
 * The spans as they are marked.
 *
 * @param truth the spans of the data; undefined if the text is not from there
 */
export function markedSpans(
  spans: readonly PlaySpan[],
  truth: readonly TextSpan[] | undefined,
): MarkedSpan[] {
  if (!truth) return spans.map((s) => ({ ...s, state: 'predicted' }));
  return [
    ...spans.map((s): MarkedSpan => ({ ...s, state: isAmong(s, truth) ? 'found' : 'spurious' })),
    ...truth.filter((s) => !isAmong(s, spans)).map((s): MarkedSpan => ({ ...s, state: 'missed' })),
  ];
}

/** "Paris (LOC), Anna Miller (PER)" */
export const listed = (text: string, spans: readonly TextSpan[], most: number): string => {
  const named = spans.slice(0, most).map(({ start, end, label }) => `${text.slice(start, end)} (${label})`);
  return [...named, ...(spans.length > most ? ['…'] : [])].join(', ');
};
