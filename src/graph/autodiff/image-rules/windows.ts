import { attrInts, attrString } from '../../attributes';
import type { RuleContext } from '../rule';

/** A kernel sliding over the spatial axes, which follow batch and channels. */
export interface Windows {
  kernel: number[];
  strides: number[];
  dilations: number[];
  /** Margins before and after each axis, with those of `auto_pad`. */
  before: number[];
  after: number[];
}

/** @param kernel sizes along the spatial axes of input 0 */
export function windowsOf(c: RuleContext, kernel: number[]): Windows {
  const ones = kernel.map(() => 1);
  const strides = attrInts(c.node, 'strides') ?? ones;
  const dilations = attrInts(c.node, 'dilations') ?? ones;
  const pads = attrInts(c.node, 'pads') ?? [...kernel, ...kernel].map(() => 0);
  const w = {
    kernel,
    strides,
    dilations,
    before: pads.slice(0, kernel.length),
    after: pads.slice(kernel.length),
  };
  const auto = attrString(c.node, 'auto_pad', 'NOTSET');
  if (auto === 'NOTSET') return w;
  if (auto === 'VALID') return { ...w, before: kernel.map(() => 0), after: kernel.map(() => 0) };
  const missing = kernel.map((_, i) =>
    Math.max(0, -rest({ ...w, before: [0, 0, 0], after: [0, 0, 0] }, i, sizes(c, i))),
  );
  const [less, more] = [missing.map((m) => Math.floor(m / 2)), missing.map((m) => Math.ceil(m / 2))];
  return auto === 'SAME_UPPER' ? { ...w, before: less, after: more } : { ...w, before: more, after: less };
}

/** The part of an axis and its margins that the last window leaves unread; negative if it goes beyond them. */
function rest(w: Windows, axis: number, { space, windows }: { space: number; windows: number }): number {
  const reach = (windows - 1) * w.strides[axis] + (w.kernel[axis] - 1) * w.dilations[axis] + 1;
  return space + w.before[axis] + w.after[axis] - reach;
}

/** The sizes of a spatial axis in the input and the output. */
function sizes(c: RuleContext, axis: number): { space: number; windows: number } {
  const [space, windows] = [c.x[0], c.y[0]].map((name) => c.shape(name)[axis + 2]);
  if (typeof space !== 'number' || typeof windows !== 'number')
    throw c.refuse('is not supported with auto_pad or ceil_mode over an open axis');
  return { space, windows };
}

/** Margins after each axis that also hold the positions that windows read beyond them, as ceil_mode allows. */
export const afterWithExtra = (c: RuleContext, w: Windows): number[] =>
  w.after.map((a, i) => a + Math.max(0, -rest(w, i, sizes(c, i))));

/**
 * The gradient of a sum over windows: each window's gradient times the weight, added up where the window read. Rows
 * that no window read get 0.
 *
 * @param dy     (batch, channels, windows…)
 * @param weight as in Conv
 */
export function spread(c: RuleContext, dy: string, weight: string, w: Windows, group: number): string {
  const [after, output_padding] = [[...w.after], w.kernel.map(() => 0)];
  const cut: number[] = [];
  w.kernel.forEach((_, i) => {
    const isOpen = [c.x[0], c.y[0]].some((name) => typeof c.shape(name)[i + 2] !== 'number');
    if (isOpen && w.strides[i] === 1) return;
    if (isOpen) {
      // The size as if all rows that a stride can leave were there.
      [after[i], output_padding[i]] = [0, w.strides[i] - 1];
      cut.push(i + 2);
      return;
    }
    const left = rest(w, i, sizes(c, i));
    if (left < 0) after[i] -= left;
    else output_padding[i] = left;
  });
  const { strides, dilations, before } = w;
  const pads = [...before, ...after];
  const dx = c.op('ConvTranspose', [dy, weight], { strides, dilations, pads, group, output_padding });
  if (cut.length === 0) return dx;
  const ends = c.extents.vector(cut.map((axis) => c.extents.dim(c.x[0], axis)));
  return c.op('Slice', [dx, c.g.ints(cut.map(() => 0)), ends, c.g.ints(cut)]);
}
