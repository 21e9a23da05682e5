/** Sweeps; each squares the off-diagonal remainder, so ten are plenty. */
const MOST_SWEEPS = 60;

/**
 * Eigenvalues, largest first, and eigenvectors of a symmetric matrix by Jacobi rotations (Golub and Van Loan, Matrix
 * Computations, 8.5): exact to rounding and simple, for matrices of a few dozen rows.
 *
 * @param matrix n rows of n
 * @returns `vectors[k]` belongs to `values[k]` and has length 1
 */
export function symmetricEigen(matrix: readonly ArrayLike<number>[]): {
  values: number[];
  vectors: Float64Array[];
} {
  const n = matrix.length;
  const a = matrix.map((row) => Float64Array.from(row));
  const v = a.map((_, i) => Float64Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
  const whole = a.reduce((sum, row) => row.reduce((s, x) => s + x * x, sum), 0);
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += a[p][q] ** 2;
    if (off <= 1e-30 * whole) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, v, p, q);
  }
  const order = a.map((_, i) => i).sort((i, j) => a[j][j] - a[i][i]);
  return {
    values: order.map((i) => a[i][i]),
    vectors: order.map((i) => Float64Array.from({ length: n }, (_, k) => v[k][i])),
  };
}

/** Zeroes a[p][q]. */
function rotate(a: Float64Array[], v: Float64Array[], p: number, q: number): void {
  if (a[p][q] === 0) return;
  const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  for (let k = 0; k < a.length; k++)
    [a[k][p], a[k][q]] = [c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]];
  for (let k = 0; k < a.length; k++)
    [a[p][k], a[q][k]] = [c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]];
  for (let k = 0; k < a.length; k++)
    [v[k][p], v[k][q]] = [c * v[k][p] - s * v[k][q], s * v[k][p] + c * v[k][q]];
}
