import type { SpanColumns } from '../prediction-columns';
import { byExample } from './by-example';

/** A span of an example. */
export interface ExampleSpan {
  /** In UTF-16 units of the example's text. */
  start: number;
  end: number;
  /** An index into the labels. */
  label: number;
  /** ANSWER_MISSED, ANSWER_SPURIOUS or ANSWER_FOUND. */
  found: number;
}

/** The spans of each example that has any, in the order of its text. */
export function spansByExample(spans: SpanColumns): Map<number, ExampleSpan[]> {
  const { start, end, label, found } = spans;
  const all = byExample(spans.example, (i) => ({
    start: start[i],
    end: end[i],
    label: label[i],
    found: found[i],
  }));
  for (const list of all.values()) list.sort((a, b) => a.start - b.start || a.end - b.end);
  return all;
}
