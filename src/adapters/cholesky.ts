/** Pivots up to this are those that `cholesky` has put in the place of ones that are not positive. */
export const SMALLEST_PIVOT = Math.sqrt(Number.MIN_VALUE);

/**
 * L with L Lᵀ = G, in place, from the lower half of a symmetric, positive definite G (size, size); the rest stays as it is (Golub
 * and Van Loan, Matrix Computations, 4.2). A pivot that is not positive, which rounding can make, becomes `SMALLEST_PIVOT`.
 */
export function cholesky(G: Float64Array, size: number): Float64Array {
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) {
      let sum = G[i * size + j];
      for (let k = 0; k < j; k++) sum -= G[i * size + k] * G[j * size + k];
      G[i * size + j] = i === j ? Math.sqrt(Math.max(sum, Number.MIN_VALUE)) : sum / G[j * size + j];
    }
  return G;
}

/** x with L Lᵀ x = v. */
export function solved(L: Float64Array, size: number, v: Float64Array): Float64Array {
  const x = Float64Array.from(v);
  for (let i = 0; i < size; i++) {
    let sum = x[i];
    for (let k = 0; k < i; k++) sum -= L[i * size + k] * x[k];
    x[i] = sum / L[i * size + i];
  }
  for (let i = size - 1; i >= 0; i--) {
    x[i] /= L[i * size + i];
    for (let k = 0; k < i; k++) x[k] -= L[i * size + k] * x[i];
  }
  return x;
}
