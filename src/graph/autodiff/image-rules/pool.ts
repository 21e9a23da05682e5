import { attrInt, attrInts, attrString } from '../../attributes';
import { cropsInput } from '../../crops';
import { elementCount } from '../../model';
import type { Rule, RuleContext } from '../rule';
import { scatterElements } from '../rules/gather';
import { afterWithExtra, spread, windowsOf, type Windows } from './windows';

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
