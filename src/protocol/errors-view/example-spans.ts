import type { SpanColumns } from '../predictions';

/** One span of an example. */
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
  const all = new Map<number, ExampleSpan[]>();
  spans.example.forEach((example, i) => {
    const span = { start: spans.start[i], end: spans.end[i], label: spans.label[i], found: spans.found[i] };
    const known = all.get(example);
    if (known) known.push(span);
    else all.set(example, [span]);
  });
  for (const list of all.values()) list.sort((a, b) => a.start - b.start || a.end - b.end);
  return all;
}
