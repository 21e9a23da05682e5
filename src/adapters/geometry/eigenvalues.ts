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

/** The eigenvalues of a matrix, kept by three diagonals: `beside[i]` is between i and i + 1, and the last one is 0. */
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

/** Implicit QL steps with Wilkinson's shift until d[l] is isolated. */
function isolate(d: Float64Array, e: Float64Array, l: number): void {
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
    }
    if (i >= l) continue;
    d[l] -= p;
    e[l] = g;
    e[m] = 0;
  }
}
