import { attrInts } from '../../attributes';
import type { Rule } from '../rule';

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
