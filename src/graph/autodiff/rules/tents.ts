import { attrFloat, attrInt } from '../../attributes';
import { DType } from '../../dtype';
import type { Node } from '../../model';
import type { RuleContext } from '../rule';

/** Makes every number that is not tiny at least 1. */
const STEEP = 1e30;

/**
 * The gradient of max(0, 1 − |t|)ᵏ with t = x·A + b and constant A and b, right down to x, for k = 2 and 3, as AuroRA's spline
 * has it (`splineNodes`): k·max(0, 1 − |t|)ᵏ⁻¹·(−sign t)·Aᵀ. The power is flat where the tent ends, so nothing has to be
 * masked there; rule by rule, it would be twice as many nodes.
 *
 * @returns true if the node is such a power
 */
export function passBelowTents(c: RuleContext): boolean {
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
  const left = c.op('HardSigmoid', [t], { alpha: { float: -STEEP }, beta: { float: 0.5 } });
  const side = c.op('Sub', [left, c.scalar(0.5, t)]);
  const dt = c.op('Mul', [c.op('Mul', [c.dy[0]!, height]), side]);
  c.pass(x, c.op('Gemm', [dt, scales], { transB: 1, alpha: { float: 2 * k } }));
  return true;
}

const isPlain = (gemm: Node): boolean =>
  attrInt(gemm, 'transA', 0) === 0 && attrInt(gemm, 'transB', 0) === 0 && attrFloat(gemm, 'alpha', 1) === 1;
