import { Stream, uniform } from '../../base/random';
import {
  type Combination,
  type CombinationSteps,
  combinationSteps,
  type MajoritySignMethod,
} from '../../protocol/combination';
import type { LowRank } from '../update-geometry';
import { disjointMean, dropRandomly, keepLargest, weightedSum } from './sparsify';
import { type Truncated, truncatedProduct, truncatedSvd } from './truncated-svd';

/** The change of one module by an adapter: ΔW = scale · B·A, and scale · bias for the module's bias. */
export interface Term extends LowRank {
  weight: number;
  /** (out). */
  bias?: Float32Array;
  /** The adapter's place among those that are combined, for random numbers. */
  adapter: number;
}

export interface CombinationRule {
  combination: Combination;
  /** The share of values that is kept, in (0, 1]; needed if the combination prunes. */
  density?: number;
  majoritySignMethod: MajoritySignMethod;
  /** Chooses the dropped values. */
  draw: Draw;
  /** The rank of a singular value decomposition. */
  rank: number;
}

/**
 * Uniform in [0, 1): by the adapter's place among those that are combined, the module's in the model, the part of the
 * adapter that is pruned, and the value's place there.
 */
export type Draw = (adapter: number, module: number, part: Part, i: number) => number;

type Part = 'A' | 'B' | 'change';

const PARTS: Readonly<Record<Part, number>> = { A: 0, B: 1, change: 2 };

/** The random numbers of a seed. */
export const seededDraw =
  (seed: number): Draw =>
  (adapter, module, part, i) =>
    uniform(seed, Stream.combination, adapter, module, PARTS[part], i);

/** The combined change: ΔW = B·A, without a scale. */
export interface CombinedPair {
  A: Float32Array;
  B: Float32Array;
  rank: number;
  bias?: Float32Array;
  /** With a singular value decomposition: squared norms of B·A and of the change that it approximates. */
  kept?: number;
  norm?: number;
}

/**
 * The combination of one module's changes, as `LoraModel.add_weighted_adapter` of PEFT 0.20 (tuners/lora/model.py) makes
 * it, with one difference: with a singular value decomposition, PEFT multiplies each change by its scale twice (its
 * `get_delta_weight` has it already). Here it counts once, so that a weight of 1 is the adapter itself.
 *
 * - `cat`: A = [w₁s₁A₁; w₂s₂A₂; …], B = [B₁, B₂, …].
 * - `svd`: the largest singular values and vectors of Σ wₖsₖ BₖAₖ: A = Vᵀ, B = U S.
 * - `…_svd`: the same, of the changes sₖBₖAₖ pruned and summed as below, with the weights wₖ.
 * - the others separately on A and on B, with the weights ±√|wₖsₖ| and √|wₖsₖ|.
 *
 * @param terms of the adapters that have the module, at least one; of equal rank for those that work on A and B
 * @param module its place in the model, for random numbers
 * @throws RangeError if ranks differ where they must not
 */
export function combinePairs(terms: readonly Term[], rule: CombinationRule, module: number): CombinedPair {
  const { combination } = rule;
  const steps = combinationSteps(combination);
  const bias = combinedBias(terms);
  if (combination === 'cat') return { ...concatenated(terms), ...(bias && { bias }) };
  if (steps.decomposes) {
    const { rank, ...made } = decomposed(terms, rule, steps, module);
    return { ...made, rank, ...(bias && { bias }) };
  }
  const { rank } = terms[0];
  if (terms.some((term) => term.rank !== rank)) throw new RangeError('The ranks differ.');
  const merge = (part: 'A' | 'B') => {
    const weights = terms.map(({ weight, scale }) => {
      const root = Math.sqrt(Math.abs(weight * scale));
      return part === 'A' && weight * scale < 0 ? -root : root;
    });
    return merged(terms, (term) => term[part], weights, rule, steps, module, part);
  };
  return { A: merge('A'), B: merge('B'), rank, ...(bias && { bias }) };
}

/** Σ wₖsₖ bₖ; undefined if no adapter has a bias. */
function combinedBias(terms: readonly Term[]): Float32Array | undefined {
  const own = terms.filter((term) => term.bias);
  if (own.length === 0) return undefined;
  return weightedSum(
    own.map((term) => term.bias!),
    own.map(({ weight, scale }) => weight * scale),
  );
}

/** All terms side by side: A (R, in) with the weights and scales, B (out, R), R the sum of the ranks. */
function concatenated(terms: readonly Term[]): { A: Float32Array; B: Float32Array; rank: number } {
  const rank = terms.reduce((sum, term) => sum + term.rank, 0);
  const [{ A: firstA, B: firstB, rank: firstRank }] = terms as [Term];
  const columns = firstA.length / firstRank;
  const rows = firstB.length / firstRank;
  const A = new Float32Array(rank * columns);
  const B = new Float32Array(rows * rank);
  let from = 0;
  for (const term of terms) {
    const by = term.weight * term.scale;
    A.set(
      term.A.map((v) => v * by),
      from * columns,
    );
    for (let o = 0; o < rows; o++)
      B.set(term.B.subarray(o * term.rank, (o + 1) * term.rank), o * rank + from);
    from += term.rank;
  }
  return { A, B, rank };
}

function decomposed(
  terms: readonly Term[],
  rule: CombinationRule,
  steps: CombinationSteps,
  module: number,
): Truncated & { rank: number } {
  const all = concatenated(terms);
  const [rows, columns] = [all.B.length / all.rank, all.A.length / all.rank];
  const most = Math.min(rule.rank, rows, columns);
  if (!steps.prunes) {
    // Values beyond the sum of the ranks are 0.
    const rank = Math.min(most, all.rank);
    return { ...truncatedProduct(all.B, all.A, all.rank, rank), rank };
  }
  const weights = terms.map((term) => term.weight);
  const M = merged(terms, changeOf, weights, rule, steps, module, 'change');
  return { ...truncatedSvd(M, rows, columns, most), rank: most };
}

/** s·B·A (out, in) in float32. */
function changeOf({ A, B, rank, scale }: Term): Float32Array {
  const columns = A.length / rank;
  const out = new Float32Array((B.length / rank) * columns);
  const row = new Float64Array(columns);
  for (let o = 0; o * rank < B.length; o++) {
    row.fill(0);
    for (let k = 0; k < rank; k++) {
      const by = scale * B[o * rank + k];
      for (let i = 0, at = k * columns; i < columns; i++, at++) row[i] += by * A[at];
    }
    out.set(row, o * columns);
  }
  return out;
}

function merged(
  terms: readonly Term[],
  valuesOf: (term: Term) => Float32Array,
  weights: readonly number[],
  { density, majoritySignMethod, draw }: CombinationRule,
  { prunes, elects }: CombinationSteps,
  module: number,
  part: Part,
): Float32Array {
  const pruned = terms.map((term) => {
    const values = valuesOf(term);
    if (!prunes) return values;
    if (prunes === 'magnitude') return keepLargest(values, density!);
    return dropRandomly(values, density!, (i) => draw(term.adapter, module, part, i));
  });
  return elects ? disjointMean(pruned, weights, majoritySignMethod) : weightedSum(pruned, weights);
}
