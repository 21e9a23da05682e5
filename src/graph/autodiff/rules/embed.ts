import type { Extent } from '../extents';
import type { RuleContext } from '../rule';

export interface Margin {
  axis: number;
  before: Extent;
  after: Extent;
}

/**
 * Puts a gradient into zeros: the margins may be negative, which cuts. All axes are listed, since ONNX Runtime (1.27)
 * incorrectly moves a Transpose across a Pad with an axes input.
 */
export function embed(c: RuleContext, gradient: string, rank: number, margins: Margin[]): string {
  const full = new Array<Extent>(2 * rank).fill(0);
  for (const m of margins) {
    full[m.axis] = m.before;
    full[rank + m.axis] = m.after;
  }
  return full.every((p) => p === 0) ? gradient : c.op('Pad', [gradient, c.extents.vector(full)]);
}
