import type { Extent } from '../extents';
import type { RuleContext } from '../rule';

export interface Margin {
  axis: number;
  before: Extent;
  after: Extent;
}

/** Puts a gradient into zeros: the margins may be negative, which cuts. */
export function embed(c: RuleContext, gradient: string, rank: number, margins: Margin[]): string {
  const pads = [...margins.map((m) => m.before), ...margins.map((m) => m.after)];
  if (pads.every((p) => p === 0)) return gradient;
  if (pads.some((p) => typeof p !== 'number'))
    return c.op('Pad', [gradient, c.extents.vector(pads), '', c.g.ints(margins.map((m) => m.axis))]);
  const full = new Array<number>(2 * rank).fill(0);
  for (const m of margins) {
    full[m.axis] = m.before as number;
    full[rank + m.axis] = m.after as number;
  }
  return c.op('Pad', [gradient, c.g.ints(full)]);
}
