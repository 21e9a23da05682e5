import { attrInt } from '../../attributes';
import type { Rule, RuleContext } from '../rule';
import { embed } from './embed';

/**
 * Adds each row back to its source with ScatterElements: ScatterND with reduction=add gives wrong sums on the CPU if
 * indices repeat.
 */
const gatherRule: Rule = (c) => {
  const [x, indices] = c.x;
  const axis = c.axis(x, attrInt(c.node, 'axis', 0));
  const index = c.single(indices);
  if (index !== undefined && c.rank(indices) <= 1) return [oneRow(c, axis, index)];
  const outer = c.shape(x).map((_, i) => c.extents.dim(x, i));
  const around = (middle: number) => c.extents.vector(outer.map((d, i) => (i === axis ? middle : d)));
  const rows = c.rank(indices) === 1 ? c.dy[0]! : c.op('Reshape', [c.dy[0]!, around(-1)]);
  const line = c.g.ints([-1, ...new Array<number>(c.rank(x) - axis - 1).fill(1)]);
  const places = c.op('Expand', [c.op('Reshape', [indices, line]), around(1)]);
  return [scatter(c, places, rows, axis)];
};

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
