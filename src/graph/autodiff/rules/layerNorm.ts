import { attrFloat, attrInt } from '../../attributes';
import { DType } from '../../dtype';
import type { Rule, RuleContext } from '../rule';

/**
 * With g = dy·scale and x̂ the normalised input: dx = (g − mean g − x̂·mean(g·x̂))/σ, means over the
 * normalised axes. x̂ itself is never stored; both means ride on x − μ.
 */
const layerNormalization: Rule = (c) => {
  const [x, scale, bias] = c.x;
  const dy = c.dy[0]!;
  if (c.dy[1] ?? c.dy[2]) throw c.refuse('through its mean or deviation output is not known');
  const first = c.axis(x, attrInt(c.node, 'axis', -1));
  const axes = c.g.ints(Array.from({ length: c.rank(x) - first }, (_, i) => first + i));
  const mean = (t: string) => c.op('ReduceMean', [t, axes], { keepdims: 1 });

  let dx: string | undefined;
  let dScale: string | undefined;
  if (c.needs(0) || c.needs(1)) {
    const { centred, inverse } = statistics(c, mean);
    if (c.needs(0)) {
      const g = c.op('Mul', [dy, scale]);
      const slope = c.op('Mul', [mean(c.op('Mul', [g, centred])), c.op('Mul', [inverse, inverse])]);
      const projected = c.op('Sub', [c.op('Sub', [g, mean(g)]), c.op('Mul', [centred, slope])]);
      dx = c.op('Mul', [projected, inverse]);
    }
    if (c.needs(1)) dScale = c.unbroadcast(c.op('Mul', [dy, c.op('Mul', [centred, inverse])]), x, scale);
  }
  return [dx, dScale, c.needs(2) ? c.unbroadcast(dy, x, bias) : undefined];
};

/**
 * x − μ and 1/σ. The forward kernel's own statistics where they are exact: ONNX Runtime gives them as
 * float32, so a double input computes its own.
 */
function statistics(c: RuleContext, mean: (t: string) => string): { centred: string; inverse: string } {
  const [x] = c.x;
  if (c.info(x).dtype === DType.float && attrInt(c.node, 'stash_type', 1) === 1) {
    while (c.node.outputs.length < 3) c.node.outputs.push('');
    for (const i of [1, 2]) c.node.outputs[i] ||= c.g.fresh(`${c.node.opType}_statistics`);
    const [, mu, inverse] = c.node.outputs;
    return { centred: c.op('Sub', [x, mu]), inverse };
  }
  const centred = c.op('Sub', [x, mean(x)]);
  const variance = mean(c.op('Mul', [centred, centred]));
  const epsilon = c.scalar(attrFloat(c.node, 'epsilon', 1e-5), x);
  const inverse = c.op('Reciprocal', [c.op('Sqrt', [c.op('Add', [variance, epsilon])])]);
  return { centred, inverse };
}

export const layerNorm: Record<string, Rule> = { LayerNormalization: layerNormalization };
