import { attrString } from '../../attributes';
import { DType } from '../../dtype';
import type { Rule, RuleContext } from '../rule';

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
