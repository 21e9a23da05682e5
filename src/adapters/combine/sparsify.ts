import type { MajoritySignMethod } from '../../protocol/combination';

/**
 * Sets all but the largest magnitudes to 0: ⌊density · n⌋ values stay, of equal ones the first
 * (`magnitude_based_pruning` of PEFT's merge_utils.py; Yadav et al., TIES-Merging, arXiv 2306.01708, "trim").
 *
 * @param density in (0, 1]
 */
export function keepLargest(values: Float32Array, density: number): Float32Array {
  const count = Math.floor(density * values.length);
  if (count >= values.length) return values;
  const kept = new Float32Array(values.length);
  if (count === 0) return kept;
  const least = values.map(Math.abs).sort()[values.length - count];
  let larger = 0;
  for (const value of values) if (Math.abs(value) > least) larger++;
  let equal = count - larger;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]);
    if (size > least || (size === least && equal-- > 0)) kept[i] = values[i];
  }
  return kept;
}

/**
 * Keeps each value with the probability `density` and divides it by that, so that its expectation stays
 * (`random_pruning` of PEFT's merge_utils.py; Yu et al., DARE, arXiv 2311.03099).
 *
 * @param density in (0, 1]
 * @param draw uniform in [0, 1), by the value's place
 */
export const dropRandomly = (
  values: Float32Array,
  density: number,
  draw: (i: number) => number,
): Float32Array =>
  density === 1 ? values : values.map((value, i) => (draw(i) < density ? value / density : 0));

/** Σ wₖ vₖ (`task_arithmetic`; Ilharco et al., arXiv 2212.04089). */
export function weightedSum(tensors: readonly Float32Array[], weights: readonly number[]): Float32Array {
  return tensors[0].map((_, i) => tensors.reduce((sum, values, k) => sum + weights[k] * values[i], 0));
}

/**
 * The mean of wₖ vₖ over those whose sign the majority has, and 0 where none has (`disjoint_merge` with
 * `calculate_majority_sign_mask`; TIES-Merging, "elect sign"). The election does not count the weights, and a tie is
 * won by the positive values.
 */
export function disjointMean(
  tensors: readonly Float32Array[],
  weights: readonly number[],
  method: MajoritySignMethod,
): Float32Array {
  const vote = method === 'total' ? (value: number) => value : Math.sign;
  return tensors[0].map((_, i) => {
    const votes = tensors.reduce((sum, values) => sum + vote(values[i]), 0);
    const sign = votes >= 0 ? 1 : -1;
    let [sum, agreeing] = [0, 0];
    tensors.forEach((values, k) => {
      if (Math.sign(values[i]) !== sign) return;
      sum += weights[k] * values[i];
      agreeing++;
    });
    return sum / Math.max(agreeing, 1);
  });
}
