import { attrFloat } from '../../attributes';
import type { Rule, RuleContext } from '../rule';

/** dy times a slope selected by a comparison. */
const choose = (c: RuleContext, condition: string, yes: string, no: string): string[] => [
  c.op('Mul', [c.dy[0]!, c.op('Where', [condition, yes, no])]),
];

const positive = (c: RuleContext): string => c.op('Greater', [c.x[0], c.scalar(0, c.x[0])]);

/** gamma above 0, gamma·alpha·eˣ = y + gamma·alpha below. */
const selu: Rule = (c) => {
  const alpha = attrFloat(c.node, 'alpha', 1.67326319217681884765625);
  const gamma = attrFloat(c.node, 'gamma', 1.05070102214813232421875);
  const below = c.op('Add', [c.y[0], c.scalar(gamma * alpha, c.x[0])]);
  return choose(c, positive(c), c.scalar(gamma, c.x[0]), below);
};

/** 1 above 0, e^(x/alpha) = y/alpha + 1 below. */
const celu: Rule = (c) => {
  const one = c.scalar(1, c.x[0]);
  const below = c.op('Add', [
    c.op('Mul', [c.y[0], c.scalar(1 / attrFloat(c.node, 'alpha', 1), c.x[0])]),
    one,
  ]);
  return choose(c, positive(c), one, below);
};

/** The slope below 0 is trained; PyTorch's has one value, or one per channel. */
const prelu: Rule = (c) => {
  const [x, slope] = c.x;
  const dy = c.dy[0]!;
  const above = positive(c);
  const dx = c.needs(0) ? c.op('Mul', [dy, c.op('Where', [above, c.scalar(1, x), slope])]) : undefined;
  if (!c.needs(1)) return [dx];
  const below = c.op('Where', [above, c.scalar(0, x), x]);
  return [dx, c.unbroadcast(c.op('Mul', [dy, below]), x, slope)];
};

/** 1 where alpha·x + beta, which may fall, lies strictly between 0 and 1. */
const ramp = (c: RuleContext, alpha: number, beta: number): string => {
  const [x] = c.x;
  const ends = [-beta / alpha, (1 - beta) / alpha];
  const above = c.op('Greater', [x, c.scalar(Math.min(...ends), x)]);
  const under = c.op('Less', [x, c.scalar(Math.max(...ends), x)]);
  return c.op('And', [above, under]);
};

const hardSigmoid: Rule = (c) => {
  const alpha = attrFloat(c.node, 'alpha', 0.2);
  const inside = ramp(c, alpha, attrFloat(c.node, 'beta', 0.5));
  return choose(c, inside, c.scalar(alpha, c.x[0]), c.scalar(0, c.x[0]));
};

/** x·hardsigmoid(x): x/3 + 1/2 between −3 and 3; 0 below, 1 above. */
const hardSwish: Rule = (c) => {
  const [x] = c.x;
  const middle = c.op('Add', [c.op('Mul', [x, c.scalar(1 / 3, x)]), c.scalar(0.5, x)]);
  const outside = c.op('Cast', [positive(c)], { to: c.info(x).dtype });
  return choose(c, ramp(c, 1 / 6, 0.5), middle, outside);
};

/** With t = tanh(softplus x): t + x·(1 − t²)·sigmoid x. */
const mish: Rule = (c) => {
  const [x] = c.x;
  const t = c.op('Tanh', [c.op('Softplus', [x])]);
  const bend = c.op('Sub', [c.scalar(1, x), c.op('Mul', [t, t])]);
  const slope = c.op('Add', [t, c.op('Mul', [c.op('Mul', [x, bend]), c.op('Sigmoid', [x])])]);
  return [c.op('Mul', [c.dy[0]!, slope])];
};

/** 1/(1 + |x|)². */
const softsign: Rule = (c) => {
  const [x] = c.x;
  const root = c.op('Add', [c.op('Abs', [x]), c.scalar(1, x)]);
  return [c.op('Div', [c.dy[0]!, c.op('Mul', [root, root])])];
};

const thresholdedRelu: Rule = (c) => {
  const [x] = c.x;
  return [c.where(c.op('Greater', [x, c.scalar(attrFloat(c.node, 'alpha', 1), x)]), c.dy[0]!, x)];
};

const shrink: Rule = (c) => {
  const [x] = c.x;
  const outside = c.op('Greater', [c.op('Abs', [x]), c.scalar(attrFloat(c.node, 'lambd', 0.5), x)]);
  return [c.where(outside, c.dy[0]!, x)];
};

export const activations: Record<string, Rule> = {
  Selu: selu,
  Celu: celu,
  PRelu: prelu,
  HardSigmoid: hardSigmoid,
  HardSwish: hardSwish,
  Mish: mish,
  Softsign: softsign,
  ThresholdedRelu: thresholdedRelu,
  Shrink: shrink,
};
