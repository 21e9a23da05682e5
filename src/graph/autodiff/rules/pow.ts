import type { Rule, RuleContext } from '../rule';
import { passBelowTents } from './tents';

/** y = x^p. The exponent may have a different type than the base. */
const powRule: Rule = (c) => {
  if (!c.needs(1) && passBelowTents(c)) return [];
  return [
    c.needs(0) ? c.unbroadcast(toBase(c), c.y[0], c.x[0]) : undefined,
    c.needs(1) ? toExponent(c) : undefined,
  ];
};

/** dy · p · x^(p−1), without Pow for the powers that transformers use. */
function toBase(c: RuleContext): string {
  const [x, exponent] = c.x;
  const dy = c.dy[0]!;
  const p = c.single(exponent);
  const times = (factor: string) => c.op('Mul', [dy, factor]);
  if (p === undefined) return times(variableSlope(c));
  if (p === 0) return c.zeros(c.y[0]);
  if (p === 1) return dy;
  if (p === 0.5) return c.op('Div', [c.op('Mul', [dy, c.scalar(0.5, x)]), c.y[0]]);
  const power = p === 2 ? x : p === 3 ? c.op('Mul', [x, x]) : c.op('Pow', [x, c.scalar(p - 1, x)]);
  return times(c.op('Mul', [power, c.scalar(p, x)]));
}

/** The slope. As in PyTorch, an exponent of 0 gives 0 even at x = 0: the power is then taken with 1 instead of −1. */
function variableSlope(c: RuleContext): string {
  const p = sameType(c);
  const one = c.scalar(1, c.x[0]);
  const isZero = c.op('Equal', [p, c.scalar(0, c.x[0])]);
  const lower = c.op('Where', [isZero, one, c.op('Sub', [p, one])]);
  return c.op('Mul', [p, c.op('Pow', [c.x[0], lower])]);
}

/** dy · y · ln x; 0 where x is 0 (PyTorch, for p ≥ 0). */
function toExponent(c: RuleContext): string {
  const [x, p] = c.x;
  const isZero = c.op('Equal', [x, c.scalar(0, x)]);
  const log = c.op('Log', [c.op('Where', [isZero, c.scalar(1, x), x])]);
  const full = c.op('Mul', [c.op('Mul', [c.dy[0]!, c.y[0]]), log]);
  const summed = c.unbroadcast(full, c.y[0], p);
  return c.info(p).dtype === c.info(x).dtype ? summed : c.op('Cast', [summed], { to: c.info(p).dtype });
}

function sameType(c: RuleContext): string {
  const [x, p] = c.x;
  return c.info(p).dtype === c.info(x).dtype ? p : c.op('Cast', [p], { to: c.info(x).dtype });
}

export const pow: Record<string, Rule> = { Pow: powRule };
