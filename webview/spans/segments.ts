/** In the data and predicted, in the data alone, predicted alone, or predicted where the data say nothing. */
export type SpanState = 'found' | 'missed' | 'spurious' | 'predicted';

export interface MarkedSpan {
  /** In UTF-16 units of the text; the end is exclusive. */
  start: number;
  end: number;
  label: string;
  state: SpanState;
}

/** A part of a text that lies within the same spans from its beginning to its end. */
export interface Segment {
  text: string;
  /** Outermost first: what is in the data around what is predicted. */
  within: MarkedSpan[];
  /** Those of them that end here. */
  ending: MarkedSpan[];
}

/** True and predicted spans overlap where only a boundary is wrong, so elements for whole spans could not be nested. */
export function segmentsOf(text: string, spans: readonly MarkedSpan[]): Segment[] {
  const inside = spans
    .filter(({ start, end }) => start < Math.min(end, text.length))
    .map((s) => ({ ...s, end: Math.min(s.end, text.length) }))
    .sort((a, b) => a.start - b.start);
  const edges = new Set([0, text.length, ...inside.flatMap(({ start, end }) => [start, end])]);
  const sorted = [...edges].sort((a, b) => a - b);
  let within: MarkedSpan[] = [];
  let next = 0;
  return sorted.slice(1).map((to, i): Segment => {
    const from = sorted[i];
    within = within.filter((s) => s.end > from);
    while (next < inside.length && inside[next].start === from) within.push(inside[next++]);
    const layers = [...within].sort((a, b) => Number(isTrue(b)) - Number(isTrue(a)));
    return { text: text.slice(from, to), within: layers, ending: layers.filter((s) => s.end === to) };
  });
}

const isTrue = ({ state }: MarkedSpan): boolean => state === 'found' || state === 'missed';
