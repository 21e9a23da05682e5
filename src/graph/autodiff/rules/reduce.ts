import { attrInt } from '../../attributes';
import type { Rule, RuleContext } from '../rule';

/** The axes of a reduction; they must be known, since the gradient's shape depends on them. */
function reducedAxes(c: RuleContext): number[] {
  const all = c.shape(c.x[0]).map((_, i) => i);
  const axes = c.has(1) ? c.constant(c.x[1]) : [];
  if (!axes) throw c.refuse('needs axes that are constants');
  if (axes.length === 0) return attrInt(c.node, 'noop_with_empty_axes', 0) ? [] : all;
  return axes.map((a) => c.axis(c.x[0], a));
}

/** A tensor shaped like the output, with the reduced axes restored as 1. */
const keptDims = (c: RuleContext, t: string, axes: number[]): string =>
  attrInt(c.node, 'keepdims', 1) || axes.length === 0 ? t : c.op('Unsqueeze', [t, c.g.ints(axes)]);

const spread = (c: RuleContext, t: string): string => c.op('Expand', [t, c.shapeTensor(c.x[0])]);

const reduceSum: Rule = (c) => [spread(c, keptDims(c, c.dy[0]!, reducedAxes(c)))];

const reduceMean: Rule = (c) => {
  const axes = reducedAxes(c);
  const count = axes.map((a) => c.extents.dim(c.x[0], a)).reduce(c.extents.mul, 1);
  const { dtype } = c.info(c.x[0]);
  const divisor = typeof count === 'number' ? c.g.scalar(count, dtype) : asScalar(c, count, dtype);
  return [spread(c, keptDims(c, c.op('Div', [c.dy[0]!, divisor]), axes))];
};

const asScalar = (c: RuleContext, count: string, dtype: number): string =>
  c.op('Squeeze', [c.op('Cast', [count], { to: dtype }), c.g.ints([0])]);

/** ReduceMax and ReduceMin: equal shares to all elements at the extreme, like PyTorch's amax. */
const reduceExtremum: Rule = (c) => {
  const [x] = c.x;
  const axes = reducedAxes(c);
  if (axes.length === 0) return [c.dy[0]];
  const hit = c.op('Equal', [x, keptDims(c, c.y[0], axes)]);
  const hits = c.op('Cast', [hit], { to: c.info(x).dtype });
  const count = c.op('ReduceSum', [hits, c.g.ints(axes)], { keepdims: 1 });
  return [c.op('Mul', [hits, c.op('Div', [keptDims(c, c.dy[0]!, axes), count])])];
};

/** y = ‖x‖: dx = x·dy/y, which is 0 where y is, as in PyTorch. */
const reduceL2: Rule = (c) => {
  const [y] = c.y;
  const divisor = c.op('Where', [c.op('Equal', [y, c.scalar(0, y)]), c.scalar(1, y), y]);
  const ratio = keptDims(c, c.op('Div', [c.dy[0]!, divisor]), reducedAxes(c));
  return [c.op('Mul', [c.x[0], ratio])];
};

/** y = Σ|x|. */
const reduceL1: Rule = (c) => [c.op('Mul', [c.op('Sign', [c.x[0]]), keptDims(c, c.dy[0]!, reducedAxes(c))])];

const reduceSumSquare: Rule = (c) => {
  const doubled = c.op('Mul', [c.dy[0]!, c.scalar(2, c.x[0])]);
  return [c.op('Mul', [c.x[0], keptDims(c, doubled, reducedAxes(c))])];
};

/** y = ln Σ eˣ: dx = dy·e^(x − y). */
const reduceLogSumExp: Rule = (c) => {
  const axes = reducedAxes(c);
  const share = c.op('Exp', [c.op('Sub', [c.x[0], keptDims(c, c.y[0], axes)])]);
  return [c.op('Mul', [share, keptDims(c, c.dy[0]!, axes)])];
};

export const reduce: Record<string, Rule> = {
  ReduceSum: reduceSum,
  ReduceMean: reduceMean,
  ReduceMax: reduceExtremum,
  ReduceMin: reduceExtremum,
  ReduceL2: reduceL2,
  ReduceL1: reduceL1,
  ReduceSumSquare: reduceSumSquare,
  ReduceLogSumExp: reduceLogSumExp,
};

/** The gradient is a sum in the other direction. */
const cumSum: Rule = (c) => [
  c.op('CumSum', [c.dy[0]!, c.x[1]], {
    exclusive: attrInt(c.node, 'exclusive', 0),
    reverse: 1 - attrInt(c.node, 'reverse', 0),
  }),
];

export const cumsum: Record<string, Rule> = { CumSum: cumSum };
