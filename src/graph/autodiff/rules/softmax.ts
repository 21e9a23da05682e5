import { attrInt } from '../../attributes';
import type { Rule, RuleContext } from '../rule';

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
