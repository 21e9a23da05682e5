import { attrInt } from '../../attributes';
import type { Rule } from '../rule';

/** The gradient is a sum in the other direction. */
const cumSum: Rule = (c) => [
  c.op('CumSum', [c.dy[0]!, c.x[1]], {
    exclusive: attrInt(c.node, 'exclusive', 0),
    reverse: 1 - attrInt(c.node, 'reverse', 0),
  }),
];

export const cumsum: Record<string, Rule> = { CumSum: cumSum };
