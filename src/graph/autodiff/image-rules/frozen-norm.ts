import { attrFloat, attrInt } from '../../attributes';
import type { Rule, RuleContext } from '../rule';

/** A per-channel vector (C) as (C, 1, …), so that it broadcasts over x (N, C, …). */
const perChannel = (c: RuleContext, t: string): string =>
  c.op('Reshape', [
    t,
    c.g.ints([
      -1,
      ...c
        .shape(c.x[0])
        .slice(2)
        .map(() => 1),
    ]),
  ]);

function refuseTrained(c: RuleContext): void {
  if (c.x.slice(1).some((_, i) => c.needs(i + 1))) throw c.refuse('is not supported for trained parameters');
}

/** Linear with its running statistics: dy·scale/√(var + ε). */
const batchNorm: Rule = (c) => {
  refuseTrained(c);
  if (attrInt(c.node, 'training_mode', 0)) throw c.refuse('is not supported in training mode');
  const [, scale, , , variance] = c.x;
  const root = c.op('Sqrt', [
    c.op('Add', [variance, c.scalar(attrFloat(c.node, 'epsilon', 1e-5), variance)]),
  ]);
  return [c.op('Mul', [c.dy[0]!, perChannel(c, c.op('Div', [scale, root]))])];
};

/**
 * Like layer normalization, over the spatial axes: with g = dy·scale, dx = (g − mean g)/σ − (x − μ)·mean(g·(x − μ))/σ³.
 * Where possible, numbers for each channel are divided by σ, not images.
 */
const instanceNorm: Rule = (c) => {
  refuseTrained(c);
  const [x, scale] = c.x;
  const axes = c.g.ints(
    c
      .shape(x)
      .slice(2)
      .map((_, i) => i + 2),
  );
  const mean = (t: string) => c.op('ReduceMean', [t, axes], { keepdims: 1 });
  const mul = (a: string, b: string) => c.op('Mul', [a, b]);
  const centered = c.op('Sub', [x, mean(x)]);
  const variance = mean(mul(centered, centered));
  const epsilon = c.scalar(attrFloat(c.node, 'epsilon', 1e-5), x);
  const inverse = c.op('Reciprocal', [c.op('Sqrt', [c.op('Add', [variance, epsilon])])]);
  // Group normalization is written with a scale of ones.
  const isOne = c.constant(scale)?.every((s) => s === 1);
  const g = isOne ? c.dy[0]! : mul(c.dy[0]!, perChannel(c, scale));
  const slope = mul(mean(mul(g, centered)), mul(inverse, mul(inverse, inverse)));
  const spread = c.op('Sub', [mul(g, inverse), mul(mean(g), inverse)]);
  return [c.op('Sub', [spread, mul(centered, slope)])];
};

export const frozenNorm: Record<string, Rule> = {
  BatchNormalization: batchNorm,
  InstanceNormalization: instanceNorm,
};
