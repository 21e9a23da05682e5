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

/** Like layer normalization, over the spatial axes. */
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
  const centered = c.op('Sub', [x, mean(x)]);
  const variance = mean(c.op('Mul', [centered, centered]));
  const root = c.op('Sqrt', [c.op('Add', [variance, c.scalar(attrFloat(c.node, 'epsilon', 1e-5), x)])]);
  const normal = c.op('Div', [centered, root]);
  const g = c.op('Mul', [c.dy[0]!, perChannel(c, scale)]);
  const along = c.op('Mul', [normal, mean(c.op('Mul', [g, normal]))]);
  return [c.op('Div', [c.op('Sub', [c.op('Sub', [g, mean(g)]), along]), root])];
};

export const frozenNorm: Record<string, Rule> = {
  BatchNormalization: batchNorm,
  InstanceNormalization: instanceNorm,
};
