import { attrFloat, attrInt } from '../../attributes';
import { DType } from '../../dtype';
import type { Node } from '../../model';
import type { Rule, RuleContext } from '../rule';

/** y = Σ xᵢ with NumPy broadcasting: Add and Sum. */
const sum: Rule = (c) => c.x.map((x, i) => (c.needs(i) ? c.unbroadcast(c.dy[0]!, c.y[0], x) : undefined));

const sub: Rule = (c) => {
  const [da, db] = sum(c);
  return [da, db && c.op('Neg', [db])];
};

const mul: Rule = (c) =>
  [0, 1].map((i) =>
    c.needs(i) ? c.unbroadcast(c.op('Mul', [c.dy[0]!, c.x[1 - i]]), c.y[0], c.x[i]) : undefined,
  );

/** ∂(a/b)/∂a = 1/b and ∂(a/b)/∂b = −y/b. */
const div: Rule = (c) => {
  const quotient = c.op('Div', [c.dy[0]!, c.x[1]]);
  return [
    c.needs(0) ? c.unbroadcast(quotient, c.y[0], c.x[0]) : undefined,
    c.needs(1) ? c.op('Neg', [c.unbroadcast(c.op('Mul', [quotient, c.y[0]]), c.y[0], c.x[1])]) : undefined,
  ];
};

const neg: Rule = (c) => [c.op('Neg', [c.dy[0]!])];

const reciprocal: Rule = (c) => [c.op('Neg', [c.op('Mul', [c.dy[0]!, c.op('Mul', [c.y[0], c.y[0]])])])];

const sqrt: Rule = (c) => [c.op('Div', [c.op('Mul', [c.dy[0]!, c.scalar(0.5, c.y[0])]), c.y[0]])];

/**
 * Makes every number that is not tiny at least 1. On the CPU, a product and a Clip take a third of the time of Sign, which
 * runs on one thread.
 */
const STEEP = 1e30;

const abs: Rule = (c) => {
  const [x] = c.x;
  const steep = c.op('Mul', [x, c.scalar(STEEP, x)]);
  return [c.op('Mul', [c.dy[0]!, c.op('Clip', [steep, c.scalar(-1, x), c.scalar(1, x)])])];
};

export const arithmetic: Record<string, Rule> = {
  Add: sum,
  Sum: sum,
  Sub: sub,
  Mul: mul,
  Div: div,
  Neg: neg,
  Reciprocal: reciprocal,
  Sqrt: sqrt,
  Abs: abs,
};

/** Makes every number that is not tiny at least 1. */
const STEEP_SLOPE = 1e30;

/**
 * The gradient of max(0, 1 − |t|)ᵏ with t = x·A + b and constant A and b, right down to x, for k = 2 and 3, as AuroRA's spline
 * has it (`splineNodes`): k·max(0, 1 − |t|)ᵏ⁻¹·(−sign t)·Aᵀ. The power is flat where the tent ends, so nothing has to be
 * masked there; rule by rule, it would be twice as many nodes.
 *
 * @returns true if the node is such a power
 */
function passBelowTents(c: RuleContext): boolean {
  const [tent, exponent] = c.x;
  const k = c.single(exponent);
  const slope = c.producer(tent);
  if ((k !== 2 && k !== 3) || slope?.opType !== 'HardSigmoid' || c.info(tent).dtype !== DType.float)
    return false;
  if (attrFloat(slope, 'alpha', 0.2) !== -1 || attrFloat(slope, 'beta', 0.5) !== 1) return false;
  const size = c.producer(slope.inputs[0]);
  const affine = size?.opType === 'Abs' ? c.producer(size.inputs[0]) : undefined;
  if (affine?.opType !== 'Gemm' || !isPlain(affine)) return false;
  const [x, scales, ...offsets] = affine.inputs;
  if (![scales, ...offsets].every((name) => c.g.graph.initializers.has(name))) return false;

  const t = affine.outputs[0];
  const height = k === 2 ? tent : c.op('Mul', [tent, tent]);
  // 1 left of the center and 0 right of it, in one pass: half of −sign t, and 1/2.
  const left = c.op('HardSigmoid', [t], { alpha: { float: -STEEP_SLOPE }, beta: { float: 0.5 } });
  const side = c.op('Sub', [left, c.scalar(0.5, t)]);
  const dt = c.op('Mul', [c.op('Mul', [c.dy[0]!, height]), side]);
  c.pass(x, c.op('Gemm', [dt, scales], { transB: 1, alpha: { float: 2 * k } }));
  return true;
}

const isPlain = (gemm: Node): boolean =>
  attrInt(gemm, 'transA', 0) === 0 && attrInt(gemm, 'transB', 0) === 0 && attrFloat(gemm, 'alpha', 1) === 1;

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
