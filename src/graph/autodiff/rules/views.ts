import { attrInt, attrInts } from '../../attributes';
import type { Extent } from '../extents';
import type { Rule, RuleContext } from '../rule';

/** Operators that move no values: same elements, another shape, order or type. */

const reshape: Rule = (c) => [c.reshape(c.dy[0]!, c.x[0])];

/** With axes, the inverse operator takes the same ones: both count them on the longer shape. */
const squeeze: Rule = (c) =>
  c.has(1) ? [c.op('Unsqueeze', [c.dy[0]!, c.x[1]])] : [c.reshape(c.dy[0]!, c.x[0])];

const unsqueeze: Rule = (c) => [c.op('Squeeze', [c.dy[0]!, c.x[1]])];

const transpose: Rule = (c) => {
  const rank = c.rank(c.x[0]);
  const perm = attrInts(c.node, 'perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  return [c.op('Transpose', [c.dy[0]!], { perm: perm.map((_, axis) => perm.indexOf(axis)) })];
};

const identity: Rule = (c) => [c.dy[0]];

/** Cast and CastLike. */
const cast: Rule = (c) => {
  const from = c.info(c.x[0]).dtype;
  return [from === c.info(c.y[0]).dtype ? c.dy[0] : c.op('Cast', [c.dy[0]!], { to: from })];
};

export const views: Record<string, Rule> = {
  Reshape: reshape,
  Flatten: reshape,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Identity: identity,
  Cast: cast,
  CastLike: cast,
};

const concatRule: Rule = (c) => {
  const axis = c.axis(c.y[0], attrInt(c.node, 'axis', 0));
  const dy = c.dy[0]!;
  const wanted = c.x.flatMap((_, i) => (c.needs(i) ? [i] : []));
  if (wanted.length === 1) {
    const [only] = wanted;
    const sizes = c.x.map((x) => c.extents.dim(x, axis));
    const start = sizes.slice(0, only).reduce(c.extents.add, 0);
    const ends = c.extents.vector([c.extents.add(start, sizes[only])]);
    const part = c.op('Slice', [dy, c.extents.vector([start]), ends, c.g.ints([axis])]);
    return c.x.map((_, i) => (i === only ? part : undefined));
  }
  return c.g.ops('Split', [dy, c.extents.along(c.x, axis)], { axis }, { outputs: c.x.length });
};

/** The gradient of an unused part is zeros. */
const splitRule: Rule = (c) => {
  const axis = c.axis(c.x[0], attrInt(c.node, 'axis', 0));
  return [
    c.op(
      'Concat',
      c.y.map((y, i) => c.dy[i] ?? c.zeros(y)),
      { axis },
    ),
  ];
};

export const concat: Record<string, Rule> = { Concat: concatRule, Split: splitRule };

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
