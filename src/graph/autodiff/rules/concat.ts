import { attrInt } from '../../attributes';
import type { Rule } from '../rule';

const concatRule: Rule = (c) => {
  const axis = c.axis(c.y[0], attrInt(c.node, 'axis', 0));
  const dy = c.dy[0]!;
  const sizes = c.x.map((x) => c.extents.dim(x, axis));
  const wanted = c.x.flatMap((_, i) => (c.needs(i) ? [i] : []));
  if (wanted.length === 1) {
    const [only] = wanted;
    const start = sizes.slice(0, only).reduce(c.extents.add, 0);
    const ends = c.extents.vector([c.extents.add(start, sizes[only])]);
    const part = c.op('Slice', [dy, c.extents.vector([start]), ends, c.g.ints([axis])]);
    return c.x.map((_, i) => (i === only ? part : undefined));
  }
  return c.g.ops('Split', [dy, c.extents.vector(sizes)], { axis }, { outputs: c.x.length });
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
