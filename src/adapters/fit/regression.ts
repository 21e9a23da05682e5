import { symmetricEigen } from '../symmetric-eigen';
import type { LayerFit } from './linear-fit';
import type { Moments } from './moments';

/** σ of a layer: z (r) → (r). */
export type Sigma = (z: ArrayLike<number>) => ArrayLike<number>;

/** σ(z) ≈ M z + c, and ≈ M₀ z through the origin; all (r, r) row-major, c (r). */
export interface Regression {
  M: Float64Array;
  c: Float64Array;
  origin: Float64Array;
  fallback?: LayerFit['fallback'];
}

/** Tokens that each of the r + 1 coefficients of a row needs: with fewer, the fit follows single tokens. */
const TOKENS_EACH = 2;
/** The noise of z, which is a float32 product of long vectors, as a share of its size. */
const NOISE = 1e-6;

/**
 * The linear regression of σ(z) on z with a constant, M = Cov(σ, z) Cov(z)⁻¹ and c = E[σ] − M E[z], and the one through
 * the origin, M₀ = E[σ zᵀ] E[z zᵀ]⁻¹.
 *
 * Where the tokens do not determine M:
 *
 * - `few-tokens`: fewer than two for each of the r + 1 coefficients of a row: M is the Jacobian of σ at the mean of z.
 * - `constant`: no coordinate of z varies by more than rounding: the Jacobian, too, so that c fits what was seen.
 * - `singular`: some direction of z does not vary: the pseudo-inverse, so that M is zero along it.
 *
 * @param seen the vectors (z, σ(z)), 2r long
 */
export function regress(seen: Moments, rank: number, sigma: Sigma): Regression {
  const { mean, count, size } = seen;
  const covariance = seen.covariance();
  const about = (i: number, j: number) => covariance[i * size + j];
  const whole = (i: number, j: number) => about(i, j) + mean[i] * mean[j];
  const squares = Float64Array.from({ length: rank }, (_, j) => whole(j, j));
  const through = solve(rank, whole, squares);
  const fitted = solve(rank, about, squares);
  const fallback =
    count < TOKENS_EACH * (rank + 1)
      ? 'few-tokens'
      : fitted.directions === 0
        ? 'constant'
        : fitted.directions < rank
          ? 'singular'
          : undefined;
  const M =
    fallback === 'few-tokens' || fallback === 'constant'
      ? jacobian(sigma, mean.subarray(0, rank), rank)
      : fitted.X;
  const c = Float64Array.from({ length: rank }, (_, i) => {
    let sum = mean[rank + i];
    for (let j = 0; j < rank; j++) sum -= M[i * rank + j] * mean[j];
    return sum;
  });
  return { M, c, origin: through.X, ...(fallback && { fallback }) };
}

/**
 * X = Y S⁺ of the moments S of z and Y of σ with z. S is scaled to ones on its diagonal first, so that a small coordinate
 * counts as much as a large one; eigenvalues that rounding may have made count as zero.
 *
 * @param of moments of coordinates of (z, σ)
 * @param squares E[z²] of each coordinate of z
 * @returns the number of directions in which z varies besides
 */
function solve(
  rank: number,
  of: (i: number, j: number) => number,
  squares: Float64Array,
): { X: Float64Array; directions: number } {
  const noise = squares.map((square) => NOISE ** 2 * square);
  const scale = noise.map((least, j) => (of(j, j) > least ? 1 / Math.sqrt(of(j, j)) : 0));
  const worst = scale.reduce((most, s, j) => Math.max(most, noise[j] * s * s), NOISE ** 2);
  const { values, vectors } = symmetricEigen(
    Array.from({ length: rank }, (_, i) =>
      Float64Array.from({ length: rank }, (_, j) => of(i, j) * scale[i] * scale[j]),
    ),
  );
  const X = new Float64Array(rank * rank);
  let directions = 0;
  values.forEach((value, k) => {
    if (!(value > rank * worst)) return;
    directions++;
    const v = vectors[k].map((x, j) => x * scale[j]);
    for (let i = 0; i < rank; i++) {
      let along = 0;
      for (let j = 0; j < rank; j++) along += of(rank + i, j) * v[j];
      for (let j = 0; j < rank; j++) X[i * rank + j] += (along / value) * v[j];
    }
  });
  return { X, directions };
}

/** The step of a difference: σ is of order 1 and varies over distances of order 1. */
const STEP = 1e-4;

/** ∂σ/∂z (r, r) by central differences. */
function jacobian(sigma: Sigma, at: Float64Array, rank: number): Float64Array {
  const out = new Float64Array(rank * rank);
  for (let j = 0; j < rank; j++) {
    const moved = (by: number) => sigma(at.map((v, i) => (i === j ? v + by : v)));
    const [before, after] = [moved(-STEP), moved(STEP)];
    for (let i = 0; i < rank; i++) out[i * rank + j] = (after[i] - before[i]) / (2 * STEP);
  }
  return out;
}
