import type { Rule } from '../rule';

/** y = f(x), elementwise. */

const exp: Rule = (c) => [c.op('Mul', [c.dy[0]!, c.y[0]])];
const log: Rule = (c) => [c.op('Div', [c.dy[0]!, c.x[0]])];
const sin: Rule = (c) => [c.op('Mul', [c.dy[0]!, c.op('Cos', [c.x[0]])])];
const cos: Rule = (c) => [c.op('Neg', [c.op('Mul', [c.dy[0]!, c.op('Sin', [c.x[0]])])])];

const tanh: Rule = (c) => {
  const square = c.op('Mul', [c.y[0], c.y[0]]);
  return [c.op('Mul', [c.dy[0]!, c.op('Sub', [c.scalar(1, c.y[0]), square])])];
};

const sigmoid: Rule = (c) => {
  const slope = c.op('Mul', [c.y[0], c.op('Sub', [c.scalar(1, c.y[0]), c.y[0]])]);
  return [c.op('Mul', [c.dy[0]!, slope])];
};

/** 2/√π · exp(−x²), with the factor inside the exponent to save a pass. */
const erf: Rule = (c) => {
  const [x] = c.x;
  const exponent = c.op('Sub', [c.scalar(Math.log(2 / Math.sqrt(Math.PI)), x), c.op('Mul', [x, x])]);
  return [c.op('Mul', [c.dy[0]!, c.op('Exp', [exponent])])];
};

const softplus: Rule = (c) => [c.op('Mul', [c.dy[0]!, c.op('Sigmoid', [c.x[0]])])];

export const functions: Record<string, Rule> = {
  Exp: exp,
  Log: log,
  Sin: sin,
  Cos: cos,
  Tanh: tanh,
  Sigmoid: sigmoid,
  Erf: erf,
  Softplus: softplus,
};
