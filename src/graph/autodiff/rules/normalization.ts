import { attrFloat, attrInt } from '../../attributes';
import { DType } from '../../dtype';
import type { Rule, RuleContext } from '../rule';

/**
 * With g = dy·scale and x̂ the normalized input: dx = (g − mean g − x̂·mean(g·x̂))/σ, means over the normalized axes.
 * x̂ itself is never stored.
 */
const layerNormalization: Rule = (c) => {
  const [x, scale, bias] = c.x;
  const dy = c.dy[0]!;
  if (c.dy[1] ?? c.dy[2]) throw c.refuse('through its mean or deviation output is not supported');
  const first = c.axis(x, attrInt(c.node, 'axis', -1));
  const axes = c.g.ints(Array.from({ length: c.rank(x) - first }, (_, i) => first + i));
  const mean = (t: string) => c.op('ReduceMean', [t, axes], { keepdims: 1 });

  let dx: string | undefined;
  let dScale: string | undefined;
  if (c.needs(0) || c.needs(1)) {
    const s = statistics(c, mean);
    if (c.needs(0)) {
      const g = c.op('Mul', [dy, scale]);
      const projection = invertible(c) ? fromOutput(c, dy, mean) : fromInput(c, g, s, mean);
      dx = c.op('Mul', [c.op('Sub', [c.op('Sub', [g, mean(g)]), projection]), s.inverse()]);
    }
    if (c.needs(1))
      dScale = c.unbroadcast(c.op('Mul', [dy, c.op('Mul', [s.centered(), s.inverse()])]), x, scale);
  }
  return [dx, dScale, c.needs(2) ? c.unbroadcast(dy, x, bias) : undefined];
};

/** x̂·mean(g·x̂) with both x̂ as (x − μ)/σ. */
function fromInput(c: RuleContext, g: string, s: Statistics, mean: (t: string) => string): string {
  const [centered, inverse] = [s.centered(), s.inverse()];
  const slope = c.op('Mul', [mean(c.op('Mul', [g, centered])), c.op('Mul', [inverse, inverse])]);
  return c.op('Mul', [centered, slope]);
}

/**
 * The gradient with x̂ = (y − bias)/scale. If the output is kept anyway, as the input of an adapted layer is, x is not
 * needed.
 */
function fromOutput(c: RuleContext, dy: string, mean: (t: string) => string): string {
  const [, scale] = c.x;
  const scaled = c.has(2) ? c.op('Sub', [c.y[0], c.x[2]]) : c.y[0];
  return c.op('Mul', [c.op('Div', [scaled, scale]), mean(c.op('Mul', [dy, scaled]))]);
}

/**
 * The largest ratio of a bias to its scale: rounding errors in y, next to the bias, come back that many times larger.
 */
const LARGEST_OFFSET = 16;

/** True if scale and bias are constants that preserve x̂ accurately enough. */
function invertible(c: RuleContext): boolean {
  const scale = c.constant(c.x[1]);
  const bias = c.has(2) ? c.constant(c.x[2]) : [0];
  if (!scale || !bias || (bias.length !== 1 && bias.length !== scale.length)) return false;
  const offset = (i: number) => Math.abs(bias[bias.length === 1 ? 0 : i] / scale[i]);
  return scale.every((s, i) => Math.abs(s) > 1e-6 && offset(i) <= LARGEST_OFFSET);
}

interface Statistics {
  /** x − μ. */
  centered(): string;
  /** 1/σ. */
  inverse(): string;
}

/**
 * The forward kernel's own statistics if they are exact: ONNX Runtime returns them as float32, so a double input
 * computes its own.
 */
function statistics(c: RuleContext, mean: (t: string) => string): Statistics {
  const [x] = c.x;
  if (c.info(x).dtype === DType.float && attrInt(c.node, 'stash_type', 1) === 1) {
    const output = (i: number) => {
      while (c.node.outputs.length <= i) c.node.outputs.push('');
      return (c.node.outputs[i] ||= c.g.fresh(`${c.node.opType}_statistics`));
    };
    return { centered: () => c.op('Sub', [x, output(1)]), inverse: () => output(2) };
  }
  const centered = c.op('Sub', [x, mean(x)]);
  const variance = mean(c.op('Mul', [centered, centered]));
  const epsilon = c.scalar(attrFloat(c.node, 'epsilon', 1e-5), x);
  const inverse = c.op('Reciprocal', [c.op('Sqrt', [c.op('Add', [variance, epsilon])])]);
  return { centered: () => centered, inverse: () => inverse };
}

export const layerNorm: Record<string, Rule> = { LayerNormalization: layerNormalization };

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
