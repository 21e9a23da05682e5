import type { Rule } from '../rule';

/** y = a ∘ b with NumPy broadcasting. */
const add: Rule = (c) =>
  [0, 1].map((i) => (c.needs(i) ? c.unbroadcast(c.dy[0]!, c.y[0], c.x[i]) : undefined));

const mul: Rule = (c) =>
  [0, 1].map((i) =>
    c.needs(i) ? c.unbroadcast(c.g.op('Mul', [c.dy[0]!, c.x[1 - i]]), c.y[0], c.x[i]) : undefined,
  );

export const elementwise: Record<string, Rule> = { Add: add, Mul: mul };
