import { attrFloat, attrInt, attrString } from '../../attributes';
import { DType } from '../../dtype';
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

/** y = x·Φ(x). */
const geluRule: Rule = (c) => {
  const slope = attrString(c.node, 'approximate', 'none') === 'tanh' ? tanhSlope(c) : exactSlope(c);
  return [c.op('Mul', [c.dy[0]!, slope])];
};

/** Φ(x) + x·φ(x), written in u = x/√2: (1 + erf u)/2 + u·exp(−u²)/√π. */
function exactSlope(c: RuleContext): string {
  const [x] = c.x;
  const u = c.op('Mul', [x, c.scalar(Math.SQRT1_2, x)]);
  const exponent = c.op('Sub', [c.scalar(-Math.log(Math.PI) / 2, x), c.op('Mul', [u, u])]);
  return c.op('Add', [halfPlusHalf(c, c.op('Erf', [u])), c.op('Mul', [u, c.op('Exp', [exponent])])]);
}

/** (1 + e)/2 for e in [−1, 1]: one pass through HardSigmoid, which never clips there. */
function halfPlusHalf(c: RuleContext, e: string): string {
  const [x] = c.x;
  if (c.info(x).dtype === DType.float)
    return c.op('HardSigmoid', [e], { alpha: { float: 0.5 }, beta: { float: 0.5 } });
  return c.op('Add', [c.op('Mul', [e, c.scalar(0.5, x)]), c.scalar(0.5, x)]);
}

/**
 * Here y = x·s with s = sigmoid(z), z = x(a + b·x²), a = 2√(2/π), b = 0.044715·a: exactly the tanh form. Its slope is s
 * + y(1 − s)·z′ with z′ = a + 3b·x².
 */
function tanhSlope(c: RuleContext): string {
  const [x] = c.x;
  const a = 2 * Math.sqrt(2 / Math.PI);
  const b = 0.044715 * a;
  const square = c.op('Mul', [x, x]);
  const affine = (k: number) => c.op('Add', [c.op('Mul', [square, c.scalar(k, x)]), c.scalar(a, x)]);
  const s = c.op('Sigmoid', [c.op('Mul', [x, affine(b)])]);
  const rest = c.op('Mul', [c.y[0], c.op('Sub', [c.scalar(1, x), s])]);
  return c.op('Add', [s, c.op('Mul', [rest, affine(3 * b)])]);
}

export const gelu: Record<string, Rule> = { Gelu: geluRule };

const relu: Rule = (c) => {
  const zero = c.scalar(0, c.y[0]);
  return [c.where(c.op('Greater', [c.y[0], zero]), c.dy[0]!, c.y[0])];
};

/** Slope 1 above 0, alpha from 0 down: alpha + (1 − alpha)·[x > 0]. */
const leakyRelu: Rule = (c) => {
  const [x] = c.x;
  const alpha = attrFloat(c.node, 'alpha', 0.01);
  const positive = c.op('Cast', [c.op('Greater', [x, c.scalar(0, x)])], { to: c.info(x).dtype });
  const slope = c.op('Add', [c.op('Mul', [positive, c.scalar(1 - alpha, x)]), c.scalar(alpha, x)]);
  return [c.op('Mul', [c.dy[0]!, slope])];
};

/** Slope 1 above 0, alpha·eˣ = y + alpha below. */
const elu: Rule = (c) => {
  const [x] = c.x;
  const alpha = attrFloat(c.node, 'alpha', 1);
  const below = c.op('Add', [c.y[0], c.scalar(alpha, x)]);
  const positive = c.op('Greater', [x, c.scalar(0, x)]);
  return [c.op('Mul', [c.dy[0]!, c.op('Where', [positive, c.scalar(1, x), below])])];
};

export const rectifiers: Record<string, Rule> = { Relu: relu, LeakyRelu: leakyRelu, Elu: elu };

const axisSum = (c: RuleContext, t: string): string =>
  c.op('ReduceSum', [t, c.g.ints([c.axis(c.y[0], attrInt(c.node, 'axis', -1))])], { keepdims: 1 });

/** y·(dy − Σ dy·y). */
const softmaxRule: Rule = (c) => {
  const dot = axisSum(c, c.op('Mul', [c.dy[0]!, c.y[0]]));
  return [c.op('Mul', [c.y[0], c.op('Sub', [c.dy[0]!, dot])])];
};

/** dy − softmax(x)·Σ dy. */
const logSoftmax: Rule = (c) => {
  const total = axisSum(c, c.dy[0]!);
  return [c.op('Sub', [c.dy[0]!, c.op('Mul', [c.op('Exp', [c.y[0]]), total])])];
};

export const softmax: Record<string, Rule> = { Softmax: softmaxRule, LogSoftmax: logSoftmax };
