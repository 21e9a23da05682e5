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

/** Iterations per eigenvalue; two or three are usual. */
const MOST_ITERATIONS = 60;

/**
 * Eigenvalues of a symmetric matrix, largest first, for hundreds of rows: Householder reflections to a tridiagonal
 * matrix, then implicit QL steps on it (Golub and Van Loan, Matrix Computations, 8.3). For small matrices,
 * `symmetricEigen` also gives the eigenvectors.
 *
 * @param matrix n rows of n; overwritten
 */
export function eigenvalues(matrix: readonly Float64Array[]): number[] {
  const { diagonal, beside } = tridiagonal(matrix);
  for (let l = 0; l < diagonal.length; l++) isolate(diagonal, beside, l);
  return [...diagonal].sort((a, b) => b - a);
}

/**
 * The eigenvectors too, for hundreds of rows: those of the tridiagonal matrix, reflected back.
 *
 * @param matrix n rows of n; overwritten
 * @returns `vectors[k]` belongs to `values[k]`, the k-th largest, and has length 1
 */
export function fullEigen(matrix: readonly Float64Array[]): { values: number[]; vectors: Float64Array[] } {
  const { diagonal, beside } = tridiagonal(matrix);
  const found = tridiagonalEigen(diagonal, beside);
  // Row k has the vector of its reflection, which changed the elements before k.
  matrix.forEach((v, k) => {
    let half = 0;
    for (let j = 0; j < k; j++) half += v[j] ** 2 / 2;
    if (half === 0) return;
    for (const y of found.vectors) {
      let along = 0;
      for (let j = 0; j < k; j++) along += v[j] * y[j];
      for (let j = 0; j < k; j++) y[j] -= (along / half) * v[j];
    }
  });
  return found;
}

/**
 * Eigenvalues, largest first, and eigenvectors of a symmetric tridiagonal matrix, by the same steps: for hundreds of rows.
 *
 * @param diagonal n values
 * @param beside the n − 1 values beside the diagonal
 * @returns `vectors[k]` belongs to `values[k]` and has length 1
 */
export function tridiagonalEigen(
  diagonal: ArrayLike<number>,
  beside: ArrayLike<number>,
): { values: number[]; vectors: Float64Array[] } {
  const n = diagonal.length;
  const d = Float64Array.from(diagonal);
  const e = Float64Array.from({ length: n }, (_, i) => (i + 1 < n ? beside[i] : 0));
  const columns = Array.from({ length: n }, (_, i) => {
    const unit = new Float64Array(n);
    unit[i] = 1;
    return unit;
  });
  for (let l = 0; l < n; l++) isolate(d, e, l, columns);
  const order = columns.map((_, i) => i).sort((i, j) => d[j] - d[i]);
  return { values: order.map((i) => d[i]), vectors: order.map((i) => columns[i]) };
}

/**
 * A matrix with the same eigenvalues, by its three diagonals: `beside[i]` is between i and i + 1, and the last one is 0. The
 * vectors of the reflections are left in the rows, before the diagonal, and zeros where there was none.
 */
function tridiagonal(a: readonly Float64Array[]): { diagonal: Float64Array; beside: Float64Array } {
  const n = a.length;
  const beside = new Float64Array(n);
  for (let k = n - 1; k > 0; k--) {
    // Reflects row k onto its last element left of the diagonal.
    const v = a[k];
    let square = 0;
    for (let j = 0; j < k - 1; j++) square += v[j] ** 2;
    if (square === 0) {
      beside[k - 1] = v[k - 1];
      v[k - 1] = 0;
      continue;
    }
    const length = Math.sqrt(square + v[k - 1] ** 2) * (v[k - 1] > 0 ? -1 : 1);
    beside[k - 1] = length;
    const half = length * (length - v[k - 1]);
    v[k - 1] -= length;
    // p = A v / half, and A − v qᵀ − q vᵀ with q = p − v (pᵀv / 2 half).
    const q = new Float64Array(k);
    for (let i = 0; i < k; i++) {
      const row = a[i];
      let sum = 0;
      for (let j = 0; j <= i; j++) sum += row[j] * v[j];
      for (let j = 0; j < i; j++) q[j] += row[j] * v[i];
      q[i] += sum;
    }
    let along = 0;
    for (let j = 0; j < k; j++) {
      q[j] /= half;
      along += q[j] * v[j];
    }
    for (let j = 0; j < k; j++) q[j] -= (along / (2 * half)) * v[j];
    for (let i = 0; i < k; i++) {
      const row = a[i];
      for (let j = 0; j <= i; j++) row[j] -= v[i] * q[j] + q[i] * v[j];
    }
  }
  return { diagonal: Float64Array.from(a, (row, i) => row[i]), beside };
}

/** Implicit QL steps with Wilkinson's shift until d[l] is isolated; `columns` are rotated with it. */
function isolate(d: Float64Array, e: Float64Array, l: number, columns?: readonly Float64Array[]): void {
  for (let iteration = 0; iteration < MOST_ITERATIONS; iteration++) {
    let m = l;
    while (m < d.length - 1 && Math.abs(e[m]) > Number.EPSILON * (Math.abs(d[m]) + Math.abs(d[m + 1]))) m++;
    if (m === l) return;
    const apart = (d[l + 1] - d[l]) / (2 * e[l]);
    let g = d[m] - d[l] + e[l] / (apart + Math.sign(apart || 1) * Math.hypot(apart, 1));
    let [s, c, p] = [1, 1, 0];
    let i = m - 1;
    for (; i >= l; i--) {
      const f = s * e[i];
      const b = c * e[i];
      const r = Math.hypot(f, g);
      e[i + 1] = r;
      if (r === 0) {
        d[i + 1] -= p;
        e[m] = 0;
        break;
      }
      s = f / r;
      c = g / r;
      const rest = d[i + 1] - p;
      const t = (d[i] - rest) * s + 2 * c * b;
      p = s * t;
      d[i + 1] = rest + p;
      g = c * t - b;
      if (columns) rotateColumns(columns[i], columns[i + 1], c, s);
    }
    if (i >= l) continue;
    d[l] -= p;
    e[l] = g;
    e[m] = 0;
  }
}

function rotateColumns(x: Float64Array, y: Float64Array, c: number, s: number): void {
  for (let k = 0; k < x.length; k++) {
    const before = y[k];
    y[k] = s * x[k] + c * before;
    x[k] = c * x[k] - s * before;
  }
}
