import type { Rule, RuleContext } from '../rule';

/** dy·mask/(1 − ratio) during training; dy otherwise. */
const dropoutRule: Rule = (c) => {
  const dy = c.dy[0]!;
  const training = c.has(2) ? c.single(c.x[2]) : 0;
  if (training === 0) return [dy];
  c.node.outputs[1] ||= c.g.fresh('Dropout_mask');
  const kept = c.where(c.node.outputs[1], dy, c.x[0]);
  let factor = c.op('Reciprocal', [c.op('Sub', [c.scalar(1, c.x[0]), ratio(c)])]);
  if (training === undefined) factor = c.op('Where', [c.x[2], factor, c.scalar(1, c.x[0])]);
  return [c.op('Mul', [kept, factor])];
};

function ratio(c: RuleContext): string {
  if (!c.has(1)) return c.scalar(0.5, c.x[0]);
  const { dtype } = c.info(c.x[0]);
  return c.info(c.x[1]).dtype === dtype ? c.x[1] : c.op('Cast', [c.x[1]], { to: dtype });
}

export const dropout: Record<string, Rule> = { Dropout: dropoutRule };
