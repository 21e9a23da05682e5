import { activate, type AnlSpec } from './anl';
import { basis, basisCenters, basisCount, gridStep } from './spline';

/** H (r, r) and W (r, G+k) of one layer, if its σ has them. */
export interface AnlValues {
  H?: Float32Array;
  W?: Float32Array;
}

/**
 * ‖σ(0)‖² of one layer, and its contribution to the gradients of H and W, weighted by `weight`. Merged by the columns
 * of A, σ is about σ(0)1ᵀ + J A: the trained form does not have the first part.
 *
 * σ(0) = act(H·act(0)·1) + W·r·b(0), where b(0) are the spline's bases at 0.
 */
export function offsetPenalty(
  rank: number,
  { H, W }: AnlValues,
  spec: AnlSpec,
  weight: number,
): { value: number; H?: Float64Array; W?: Float64Array } {
  const at0 = activate(spec.activation, 0);
  const bases = basisCenters(spec).map((c) => rank * basis(spec.splineOrder, -c / gridStep(spec)));
  const n = basisCount(spec);
  const gradH = H && new Float64Array(rank * rank);
  const gradW = W && new Float64Array(rank * n);
  let value = 0;
  for (let i = 0; i < rank; i++) {
    const inner = H ? at0 * H.subarray(i * rank, (i + 1) * rank).reduce((sum, h) => sum + h, 0) : 0;
    const outer = H ? activate(spec.activation, inner) : 0;
    const sigma = outer + (W ? bases.reduce((sum, b, k) => sum + W[i * n + k] * b, 0) : 0);
    value += sigma * sigma;
    // Only the sigmoid of the three activations is not 0 at 0, so only its slope matters.
    const slope = outer * (1 - outer);
    if (gradH) gradH.fill(2 * weight * sigma * slope * at0, i * rank, (i + 1) * rank);
    if (gradW) bases.forEach((b, k) => (gradW[i * n + k] = 2 * weight * sigma * b));
  }
  return { value, ...(gradH && { H: gradH }), ...(gradW && { W: gradW }) };
}
