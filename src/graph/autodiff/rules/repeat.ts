import type { Extent } from '../extents';
import type { Rule, RuleContext } from '../rule';

const expand: Rule = (c) => [c.unbroadcast(c.dy[0]!, c.y[0], c.x[0])];

/** Each axis splits into (copy, index); the copies are summed. */
const tile: Rule = (c) => {
  const [x, repeats] = c.x;
  const known = c.constant(repeats);
  const shape: Extent[] = [];
  const copies: number[] = [];
  for (let axis = 0; axis < c.rank(x); axis++) {
    if (known?.[axis] !== 1) {
      copies.push(shape.length);
      shape.push(known ? known[axis] : element(c, repeats, axis));
    }
    shape.push(c.extents.dim(x, axis));
  }
  if (copies.length === 0) return [c.dy[0]];
  const split = c.op('Reshape', [c.dy[0]!, c.extents.vector(shape)]);
  return [c.op('ReduceSum', [split, c.g.ints(copies)], { keepdims: 0 })];
};

const element = (c: RuleContext, vector: string, i: number): string =>
  c.op('Slice', [vector, c.g.ints([i]), c.g.ints([i + 1])]);

export const repeat: Record<string, Rule> = { Expand: expand, Tile: tile };
