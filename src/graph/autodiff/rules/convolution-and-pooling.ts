import { attrInt, attrInts, attrString } from '../../attributes';
import { cropsInput } from '../../crops';
import { elementCount } from '../../model';
import type { Rule, RuleContext } from '../rule';
import { scatterElements } from './gather';

function requireFrozen(c: RuleContext): void {
  if (c.needs(1) || c.needs(2)) throw c.refuse('is not supported for trained weights');
}

/** The gradient of the input only: the transposed convolution with the same weight. */
const conv: Rule = (c) => {
  requireFrozen(c);
  const weight = c.x[1];
  const kernel = c.shape(weight).slice(2);
  if (!kernel.every((size) => typeof size === 'number')) throw c.refuse('needs a kernel of a fixed size');
  const [windows, group] = [windowsOf(c, kernel), attrInt(c.node, 'group', 1)];
  return [depthwise(c, weight, windows, group) ?? spread(c, c.dy[0]!, weight, windows, group)];
};

/**
 * The gradient of a convolution with a filter for each channel and strides of 1: another one, with each kernel turned
 * around. ONNX Runtime (1.30) takes 5 to 70 times as long for a transposed one with many groups. Undefined for others.
 */
function depthwise(c: RuleContext, weight: string, w: Windows, group: number): string | undefined {
  const dims = c.shape(weight) as number[];
  if (group === 1 || dims[0] !== group || dims[1] !== 1 || w.strides.some((s) => s !== 1)) return undefined;
  const reach = w.kernel.map((size, i) => (size - 1) * w.dilations[i]);
  const pads = [...w.before, ...w.after].map((margin, i) => reach[i % reach.length] - margin);
  if (pads.some((margin) => margin < 0)) return undefined;
  const size = elementCount(w.kernel);
  const backwards = c.g.ints(Array.from({ length: size }, (_, i) => size - 1 - i));
  const flat = c.op('Reshape', [weight, c.g.ints([group, 1, size])]);
  const turned = c.op('Reshape', [c.op('Gather', [flat, backwards], { axis: 2 }), c.g.ints(dims)]);
  return c.op('Conv', [c.dy[0]!, turned], { dilations: w.dilations, pads, group });
}

/** The gradient of the input only: the convolution with the same weight. */
const convTranspose: Rule = (c) => {
  requireFrozen(c);
  if (
    !['NOTSET', 'VALID'].includes(attrString(c.node, 'auto_pad', 'NOTSET')) ||
    attrInts(c.node, 'output_shape')
  )
    throw c.refuse('is not supported with auto_pad or output_shape');
  const ones = c
    .shape(c.x[0])
    .slice(2)
    .map(() => 1);
  const strides = attrInts(c.node, 'strides') ?? ones;
  const dilations = attrInts(c.node, 'dilations') ?? ones;
  const pads = attrInts(c.node, 'pads') ?? [...ones, ...ones].map(() => 0);
  const group = attrInt(c.node, 'group', 1);
  return [c.op('Conv', [c.dy[0]!, c.x[1]], { strides, dilations, pads, group })];
};

export const convolution: Record<string, Rule> = { Conv: conv, ConvTranspose: convTranspose };

/** A kernel sliding over the spatial axes, which follow batch and channels. */
interface Windows {
  kernel: number[];
  strides: number[];
  dilations: number[];
  /** Margins before and after each axis, with those of `auto_pad`. */
  before: number[];
  after: number[];
}

/** @param kernel sizes along the spatial axes of input 0 */
function windowsOf(c: RuleContext, kernel: number[]): Windows {
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
const afterWithExtra = (c: RuleContext, w: Windows): number[] =>
  w.after.map((a, i) => a + Math.max(0, -rest(w, i, sizes(c, i))));

/**
 * The gradient of a sum over windows: each window's gradient times the weight, added up where the window read. Rows
 * that no window read get 0.
 *
 * @param dy     (batch, channels, windows…)
 * @param weight as in Conv
 */
function spread(c: RuleContext, dy: string, weight: string, w: Windows, group: number): string {
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

/** Back to where each maximum was read: the first of equal ones, like PyTorch. */
const maxPool: Rule = (c) => {
  const [x] = c.x;
  const attributes = Object.fromEntries(c.node.attributes);
  delete attributes.storage_order;
  const [, places] = c.g.ops('MaxPool', [x], attributes, { outputs: 2 });
  const flat = (t: string) => c.op('Reshape', [t, c.g.ints([-1])]);
  const dx = scatterElements(c, flat(c.zeros(x)), flat(ofWindows(c, places)), flat(c.dy[0]!), 0);
  return [c.op('Reshape', [dx, c.shapeTensor(x)])];
};

/** Each window's gradient in equal parts to the positions that it counts. */
const averagePool: Rule = (c) => {
  const { dtype } = c.info(c.x[0]);
  const kernel = attrInts(c.node, 'kernel_shape')!;
  const w = windowsOf(c, kernel);
  // ONNX Runtime (1.30) then pads as if there were no dilations.
  if (attrString(c.node, 'auto_pad', '').startsWith('SAME') && w.dilations.some((d) => d !== 1))
    throw c.refuse('is not supported with both auto_pad and dilations');
  const ones = c.g.constant(dtype, [1, 1, ...kernel], new Array<number>(elementCount(kernel)).fill(1));
  if (cropsInput(c.node))
    throw c.refuse('is not supported with both auto_pad and strides longer than its kernel');
  const parts = c.op('Mul', [c.dy[0]!, share(c, w, ones, dtype)]);
  // Channels become part of the batch: the same kernel serves all.
  const rows = (name: string) =>
    c.extents.vector([-1, 1, ...kernel.map((_, i) => c.extents.dim(name, i + 2))]);
  const dx = spread(c, c.op('Reshape', [parts, rows(c.y[0])]), ones, w, 1);
  return [c.op('Reshape', [dx, c.shapeTensor(c.x[0])])];
};

/**
 * The share of a window in the gradient of each of its positions, (1, 1, windows…) or a number: 1/n, of an image of
 * ones.
 */
function share(c: RuleContext, w: Windows, ones: string, dtype: number): string {
  const ceil = attrInt(c.node, 'ceil_mode', 0) === 1;
  if (!ceil && [...w.before, ...w.after].every((p) => p === 0))
    return c.g.scalar(1 / elementCount(w.kernel), dtype);
  const space = w.kernel.map((_, i) => c.extents.dim(c.x[0], i + 2));
  const image = c.op('Expand', [c.g.scalar(1, dtype), c.extents.vector([1, 1, ...space])]);
  const mean = ofWindows(c, c.op('AveragePool', [image], Object.fromEntries(c.node.attributes)));
  const { strides, dilations, before } = w;
  const pads = [...before, ...(ceil ? afterWithExtra(c, w) : w.after)];
  const inside = c.op('Conv', [image, ones], { strides, dilations, pads });
  return c.op('Div', [mean, inside]);
}

/**
 * The tensor with a shape that ONNX Runtime infers correctly: with ceil_mode, its inference counts windows that begin
 * beyond the axis, which do not exist when it runs (1.30).
 */
function ofWindows(c: RuleContext, pooled: string): string {
  if (attrInt(c.node, 'ceil_mode', 0) === 0) return pooled;
  const sizes = c
    .shape(c.y[0])
    .flatMap((size, axis) => (typeof size === 'number' && axis > 1 ? [[axis, size]] : []));
  if (sizes.length === 0) return pooled;
  const [axes, ends] = [0, 1].map((i) => c.g.ints(sizes.map((s) => s[i])));
  return c.op('Slice', [pooled, c.g.ints(sizes.map(() => 0)), ends, axes]);
}

/** The mean over the spatial axes. */
const globalAveragePool: Rule = (c) => {
  const [x] = c.x;
  const count = c
    .shape(x)
    .slice(2)
    .map((_, i) => c.extents.dim(x, i + 2))
    .reduce(c.extents.mul, 1);
  const { dtype } = c.info(x);
  const divisor = typeof count === 'number' ? c.g.scalar(count, dtype) : c.op('Cast', [count], { to: dtype });
  return [c.op('Expand', [c.op('Div', [c.dy[0]!, divisor]), c.shapeTensor(x)])];
};

/** Equal shares to all positions at the maximum, like ReduceMax. */
const globalMaxPool: Rule = (c) => {
  const [x] = c.x;
  const axes = c.shape(x).flatMap((_, i) => (i < 2 ? [] : [i]));
  const hits = c.op('Cast', [c.op('Equal', [x, c.y[0]])], { to: c.info(x).dtype });
  const count = c.op('ReduceSum', [hits, c.g.ints(axes)], { keepdims: 1 });
  return [c.op('Mul', [hits, c.op('Div', [c.dy[0]!, count])])];
};

export const pools: Record<string, Rule> = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalAveragePool,
  GlobalMaxPool: globalMaxPool,
};
