import { attrInts } from '../../attributes';
import { resizeMatrix, unsupportedResize } from '../../resize';
import type { Rule, RuleContext } from '../rule';

/**
 * The transposed product along each resized axis. Where each row is repeated a whole number of times (the nearest neighbor
 * at scale 2, …), it is a sum over the repeats; an open axis must be.
 */
const resize: Rule = (c) => {
  const unknown = unsupportedResize(c.node);
  if (unknown) throw c.refuse(`is not supported with ${unknown}`);
  const [x] = c.x;
  let dy = c.dy[0]!;
  // Sizes of dy as it shrinks, axis by axis, to those of x.
  const now = c.shape(x).map((_, axis) => c.extents.dim(c.y[0], axis));
  c.shape(x).forEach((length, axis) => {
    const out = c.shape(c.y[0])[axis];
    const scale = scaleOf(c, axis);
    if (length === out && (scale === undefined || scale === 1)) return;
    const before = now.slice(0, axis).reduce(c.extents.mul, 1);
    const after = now.slice(axis + 1).reduce(c.extents.mul, 1);
    now[axis] = c.extents.dim(x, axis);
    const times = repeats(c, scale);
    if (times !== undefined) {
      const apart = c.op('Reshape', [dy, c.extents.vector([before, now[axis], times, after])]);
      dy = c.op('ReduceSum', [apart, c.g.ints([2])], { keepdims: 0 });
    } else if (typeof length === 'number' && typeof out === 'number') {
      const values = resizeMatrix(c.node, length, out, scale ?? out / length);
      const matrix = c.g.constant(c.info(x).dtype, [length, out], Array.from(values));
      dy = c.op('MatMul', [matrix, c.op('Reshape', [dy, c.extents.vector([before, out, after])])]);
    } else
      throw c.refuse(
        'is supported over an open axis only for repeated rows (the nearest neighbor, a whole scale)',
      );
  });
  return [c.op('Reshape', [dy, c.shapeTensor(x)])];
};

/** The scale that the node states; undefined if it states sizes. */
function scaleOf(c: RuleContext, axis: number): number | undefined {
  if (!c.has(2) || c.shape(c.x[2])[0] === 0) return undefined;
  const scales = c.constant(c.x[2]);
  if (!scales) throw c.refuse('needs scales that are constants');
  const axes = attrInts(c.node, 'axes')?.map((a) => c.axis(c.x[0], a));
  return axes ? (scales[axes.indexOf(axis)] ?? 1) : scales[axis];
}

/** The number of repeats of each row; undefined if rows are mixed, or not all repeated alike. */
function repeats(c: RuleContext, scale: number | undefined): number | undefined {
  if (scale === undefined || !Number.isInteger(scale)) return undefined;
  const example = 3;
  const matrix = resizeMatrix(c.node, example, example * scale, scale);
  const isRepeated = (at: number) =>
    matrix[at] ===
    Number(Math.floor(at / (example * scale)) === Math.floor((at % (example * scale)) / scale));
  return matrix.every((_, at) => isRepeated(at)) ? scale : undefined;
}

export const resizes: Record<string, Rule> = { Resize: resize };
