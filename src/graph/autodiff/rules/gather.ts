import { attrInt, attrString } from '../../attributes';
import { DType } from '../../dtype';
import { tensorNumbers } from '../../values';
import type { Rule, RuleContext } from '../rule';
import { embed } from './slice';

/**
 * Adds each row back to its source with ScatterElements: ScatterND with reduction=add gives wrong sums on the CPU if
 * indices repeat.
 */
const gatherRule: Rule = (c) => {
  const [x, indices] = c.x;
  const axis = c.axis(x, attrInt(c.node, 'axis', 0));
  const index = c.single(indices);
  if (index !== undefined && c.rank(indices) <= 1) return [oneRow(c, axis, index)];
  if (axis === 0 && sortsRows(c, x, indices)) return [inOldOrder(c, indices)];
  const inverse = inverseOf(c, indices, c.shape(x)[axis]);
  if (inverse !== undefined) return [c.op('Gather', [c.dy[0]!, inverse], { axis })];
  const outer = c.shape(x).map((_, i) => c.extents.dim(x, i));
  const around = (middle: number) => c.extents.vector(outer.map((d, i) => (i === axis ? middle : d)));
  const rows = c.rank(indices) === 1 ? c.dy[0]! : c.op('Reshape', [c.dy[0]!, around(-1)]);
  const line = c.g.ints([-1, ...new Array<number>(c.rank(x) - axis - 1).fill(1)]);
  const places = c.op('Expand', [c.op('Reshape', [indices, line]), around(1)]);
  return [scatter(c, places, rows, axis)];
};

/**
 * True for indices that are all rows of `x` in another order, as tokens are sorted by their experts: the positions from a TopK that
 * takes all values of a vector.
 */
function sortsRows(c: RuleContext, x: string, indices: string): boolean {
  const node = c.source(indices);
  if (node?.opType !== 'TopK' || node.outputs[1] !== indices || c.rank(indices) !== 1) return false;
  const count = c.source(node.inputs[1]);
  return (
    count?.opType === 'Shape' &&
    count.inputs[0] === node.inputs[0] &&
    attrInt(count, 'start', 0) === 0 &&
    !count.attributes.has('end') &&
    c.shape(x)[0] === c.shape(indices)[0]
  );
}

/** A permutation is undone by the one that sorts it: on the CPU, gathering is much faster than adding rows one by one. */
function inOldOrder(c: RuleContext, order: string): string {
  const node = c.source(order)!;
  const [sorted] = node.inputs;
  const places =
    attrInt(node, 'largest', 1) === 0 && c.source(sorted)?.opType === 'TopK' && sortsRows(c, order, sorted)
      ? sorted
      : c.g.ops('TopK', [order, c.op('Shape', [order])], { axis: 0, largest: 0 }, { outputs: 2 })[1];
  return c.op('Gather', [c.dy[0]!, places], { axis: 0 });
}

/** The indices that undo those of a fixed order of all `size` rows. Undefined for other indices. */
function inverseOf(c: RuleContext, indices: string, size: unknown): string | undefined {
  const tensor = c.g.graph.initializers.get(indices);
  if (tensor?.dims.length !== 1 || tensor.dims[0] !== size) return undefined;
  const places = tensorNumbers(tensor);
  const back = new Array<number>(places.length).fill(-1);
  places.forEach((at, i) => (back[at] = i));
  return back.includes(-1) ? undefined : c.g.ints(back);
}

/** A fixed index, such as the first token: one row in zeros. */
function oneRow(c: RuleContext, axis: number, index: number): string {
  const [x, indices] = c.x;
  const { add, sub } = c.extents;
  const size = c.extents.dim(x, axis);
  const before = index < 0 ? add(size, index) : index;
  const row = c.rank(indices) === 0 ? c.op('Unsqueeze', [c.dy[0]!, c.g.ints([axis])]) : c.dy[0]!;
  return embed(c, row, c.rank(x), [{ axis, before, after: sub(sub(size, before), 1) }]);
}

const gatherElements: Rule = (c) => {
  const axis = c.axis(c.x[0], attrInt(c.node, 'axis', 0));
  return [scatter(c, c.x[1], c.dy[0]!, axis)];
};

const scatter = (c: RuleContext, places: string, rows: string, axis: number): string =>
  scatterElements(c, c.zeros(c.x[0]), places, rows, axis);

export const scatterElements = (c: RuleContext, to: string, places: string, rows: string, axis: number) =>
  c.op('ScatterElements', [to, places, rows], { axis, reduction: 'add' });

export const gather: Record<string, Rule> = { Gather: gatherRule, GatherElements: gatherElements };

/**
 * The export of `x[i, j]`. Adds back with ScatterElements on the flattened leading axes: ScatterND with reduction=add
 * gives wrong sums on the CPU if indices repeat.
 */
const gatherNd: Rule = (c) => {
  const [x, indices] = c.x;
  const depth = c.shape(indices).at(-1)!;
  if (attrInt(c.node, 'batch_dims', 0) !== 0 || typeof depth !== 'number')
    throw c.refuse('is not supported with batch_dims, or with an open depth of its indices');
  const { extents, g } = c;
  const lead = Array.from({ length: depth }, (_, i) => extents.dim(x, i));
  const rest = c
    .shape(x)
    .slice(depth)
    .map((_, i) => extents.dim(x, depth + i))
    .reduce(extents.mul, 1);
  // The position of each row among the rows of x: Horner's rule over the sizes of the leading axes.
  let places = '';
  for (let i = 0; i < depth; i++) {
    const raw = c.op('Gather', [indices, g.scalar(i, DType.int64)], { axis: -1 });
    const size = typeof lead[i] === 'number' ? g.ints([lead[i] as number]) : (lead[i] as string);
    const part = c.op('Where', [
      c.op('Less', [raw, g.scalar(0, DType.int64)]),
      c.op('Add', [raw, size]),
      raw,
    ]);
    places = i === 0 ? part : c.op('Add', [c.op('Mul', [places, size]), part]);
  }
  const rows = c.op('Reshape', [c.dy[0]!, extents.vector([-1, rest])]);
  const spread = c.op('Expand', [c.op('Reshape', [places, g.ints([-1, 1])]), extents.vector([1, rest])]);
  const flat = c.op('Reshape', [c.zeros(x), extents.vector([lead.reduce(extents.mul, 1), rest])]);
  return [c.op('Reshape', [scatterElements(c, flat, spread, rows, 0), c.shapeTensor(x)])];
};

const plainScatter = (c: RuleContext): void => {
  if (attrString(c.node, 'reduction', 'none') !== 'none') throw c.refuse('is not supported with a reduction');
};

/** The export of `x[i] = u`: u gets the gradient of its positions, x that of all others. */
const scatterNd: Rule = (c) => {
  plainScatter(c);
  const [, indices, updates] = c.x;
  const dy = c.dy[0]!;
  const dx = c.needs(0) ? c.op('ScatterND', [dy, indices, c.zeros(updates)]) : undefined;
  return [dx, undefined, c.needs(2) ? c.op('GatherND', [dy, indices]) : undefined];
};

const scatterElementsRule: Rule = (c) => {
  plainScatter(c);
  const [, indices, updates] = c.x;
  const dy = c.dy[0]!;
  const axis = attrInt(c.node, 'axis', 0);
  const dx = c.needs(0) ? c.op('ScatterElements', [dy, indices, c.zeros(updates)], { axis }) : undefined;
  return [dx, undefined, c.needs(2) ? c.op('GatherElements', [dy, indices], { axis }) : undefined];
};

/** The gradient of the values goes back to where they were read. */
const topK: Rule = (c) => {
  const axis = c.axis(c.x[0], attrInt(c.node, 'axis', -1));
  return [scatterElements(c, c.zeros(c.x[0]), c.y[1], c.dy[0]!, axis)];
};

export const nd: Record<string, Rule> = {
  GatherND: gatherNd,
  ScatterND: scatterNd,
  ScatterElements: scatterElementsRule,
  TopK: topK,
};
