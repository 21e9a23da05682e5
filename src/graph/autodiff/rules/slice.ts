import { attrInt, attrString } from '../../attributes';
import { DType } from '../../dtype';
import type { Extent } from '../extents';
import type { Rule, RuleContext } from '../rule';

/** The slice's gradient goes back between zeros; steps put zeros between its rows, negative steps reverse it. */
const sliceRule: Rule = (c) => {
  const [x, starts] = c.x;
  const count = c.shape(starts)[0];
  if (typeof count !== 'number') throw c.refuse('needs a fixed number of axes');
  const axes = c.has(3) ? c.constant(c.x[3]) : Array.from({ length: count }, (_, i) => i);
  const steps = c.has(4) ? c.constant(c.x[4]) : new Array<number>(count).fill(1);
  if (!axes || !steps) throw c.refuse('needs axes and steps that are constants');
  const known = c.constant(starts);

  let dy = c.dy[0]!;
  const margins: Margin[] = [];
  const stretched: Map<number, Extent> = new Map();
  axes.forEach((a, i) => {
    const axis = c.axis(x, a);
    const { add, sub, mul } = c.extents;
    const size = c.extents.dim(x, axis);
    const stride = Math.abs(steps[i]);
    const length = c.extents.dim(c.y[0], axis);
    const start = clamp(c, known ? known[i] : element(c, starts, i), size, steps[i]);
    const taken = mul(length, stride);
    if (steps[i] < 0) dy = flip(c, dy, axis);
    if (stride > 1) dy = dilate(c, dy, axis, stride, stretched);
    const before = steps[i] > 0 ? start : sub(add(start, stride), taken);
    margins.push({ axis, before, after: sub(sub(size, before), taken) });
  });
  return [embed(c, dy, c.rank(x), margins)];
};

/** The actual start of the slice: negative counts from the end, and out-of-range values are clamped. */
function clamp(c: RuleContext, start: Extent, size: Extent, step: number): Extent {
  const { add, sub, min, max } = c.extents;
  let from: Extent;
  if (typeof start === 'number') from = start < 0 ? add(size, start) : start;
  else {
    const negative = c.op('Less', [start, c.g.ints([0])]);
    from = c.op('Where', [negative, add(start, size) as string, start]);
  }
  return max(min(from, step > 0 ? size : sub(size, 1)), 0);
}

function element(c: RuleContext, vector: string, i: number): string {
  const one = c.op('Slice', [vector, c.g.ints([i]), c.g.ints([i + 1])]);
  return c.info(vector).dtype === DType.int64 ? one : c.op('Cast', [one], { to: DType.int64 });
}

function flip(c: RuleContext, t: string, axis: number): string {
  const [first, last, axes, step] = [-1, Number.MIN_SAFE_INTEGER, axis, -1].map((v) => c.g.ints([v]));
  return c.op('Slice', [t, first, last, axes, step]);
}

/** stride − 1 zeros after every element of an axis. `stretched` holds the axes already made longer. */
function dilate(
  c: RuleContext,
  t: string,
  axis: number,
  stride: number,
  stretched: Map<number, Extent>,
): string {
  const rank = c.rank(c.y[0]);
  const lifted = c.op('Unsqueeze', [t, c.g.ints([axis + 1])]);
  const padded = embed(c, lifted, rank + 1, [{ axis: axis + 1, before: 0, after: stride - 1 }]);
  stretched.set(axis, c.extents.mul(c.extents.dim(c.y[0], axis), stride));
  const shape = Array.from({ length: rank }, (_, i) => stretched.get(i) ?? c.extents.dim(c.y[0], i));
  return c.op('Reshape', [padded, c.extents.vector(shape)], { allowzero: 1 });
}

export const slice: Record<string, Rule> = { Slice: sliceRule };

const trilu: Rule = (c) => [
  c.op('Trilu', c.has(1) ? [c.dy[0]!, c.x[1]] : [c.dy[0]!], { upper: attrInt(c.node, 'upper', 1) }),
];

/** The opposite margins: padding is cut, and cut regions become zeros. */
const pad: Rule = (c) => {
  const mode = attrString(c.node, 'mode', 'constant');
  if (mode !== 'constant') throw c.refuse(`is not supported for mode "${mode}"`);
  if (c.needs(2)) throw c.refuse('is not supported for a trained padding value');
  const axes = c.has(3) ? c.constant(c.x[3]) : c.shape(c.x[0]).map((_, i) => i);
  if (!axes) throw c.refuse('needs axes that are constants');
  const pads = c.constant(c.x[1]);
  const minus = pads ? undefined : c.op('Neg', [c.x[1]]);
  const margin = (i: number) => (pads ? -pads[i] : c.op('Slice', [minus!, c.g.ints([i]), c.g.ints([i + 1])]));
  const margins = axes.map((a, i) => ({
    axis: c.axis(c.x[0], a),
    before: margin(i),
    after: margin(i + axes.length),
  }));
  return [embed(c, c.dy[0]!, c.rank(c.x[0]), margins)];
};

export const regions: Record<string, Rule> = { Trilu: trilu, Pad: pad };

interface Margin {
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
