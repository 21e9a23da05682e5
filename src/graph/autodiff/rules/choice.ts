import type { Rule } from '../rule';

/** The gradient passes where the value was kept, bounds included (like PyTorch's clamp). */
const clip: Rule = (c) => {
  if (c.needs(1) || c.needs(2)) throw c.refuse('is not supported for trained bounds');
  return [c.where(c.op('Equal', [c.x[0], c.y[0]]), c.dy[0]!, c.x[0])];
};

/** Max and Min: to all inputs that equal the result, in equal shares on a tie. */
const extremum: Rule = (c) => {
  const { dtype } = c.info(c.y[0]);
  const hits = c.x.map((x) => c.op('Cast', [c.op('Equal', [x, c.y[0]])], { to: dtype }));
  const share = c.op('Div', [c.dy[0]!, hits.reduce((a, b) => c.op('Add', [a, b]))]);
  return c.x.map((x, i) =>
    c.needs(i) ? c.unbroadcast(c.op('Mul', [share, hits[i]]), c.y[0], x) : undefined,
  );
};

const where: Rule = (c) => {
  const [condition, a, b] = c.x;
  const to = (input: string, mask: () => string) =>
    c.unbroadcast(c.where(mask(), c.dy[0]!, input), c.y[0], input);
  return [
    undefined,
    c.needs(1) ? to(a, () => condition) : undefined,
    c.needs(2) ? to(b, () => c.op('Not', [condition])) : undefined,
  ];
};

export const choice: Record<string, Rule> = { Clip: clip, Max: extremum, Min: extremum, Where: where };
