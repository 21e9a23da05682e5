import type { WithAlpha } from '../experiment/methods';
import type { LayerValues } from './methods/method';
import { methodOf } from './methods/registry';
import { fromPattern } from './targets/targets';

/** ΔW = scale · B·A of one module: A (rank, in), B (out, rank), row-major. ΔW itself is never built here. */
export interface LowRank {
  A: Float32Array;
  B: Float32Array;
  rank: number;
  scale: number;
}

/** Methods with an alpha and a B do not read the layer's own values. */
const UNREAD: LayerValues = { weight: unread, bias: unread };

function unread(): never {
  throw new Error('The values of the layer are not known here.');
}

/** The merged ΔW of a module, from its trained tensors by their short names. */
export function mergedPair(path: string, spec: WithAlpha, values: Record<string, Float32Array>): LowRank {
  const own = {
    ...spec,
    rank: fromPattern(path, spec.rankPattern, spec.rank, 'rankPattern'),
    alpha: fromPattern(path, spec.alphaPattern, spec.alpha, 'alphaPattern'),
  };
  const { rank } = own;
  const method = methodOf(own);
  const layer = { inFeatures: values.A.length / rank, outFeatures: values.B.length / rank };
  const pair = method.lowRank!(values, { layer, spec: own, widest: layer }, UNREAD);
  return { ...pair, rank: pair.A.length / layer.inFeatures, scale: method.scale!(own) };
}

/** ⟨ΔW, ΔW′⟩ = s·s′ · tr(Aᵀ Bᵀ B′ A′), the sum of all elements of (BᵀB′) ∘ (A A′ᵀ). */
export function innerProduct(x: LowRank, y: LowRank): number {
  const [a, b] = [rowProducts(x.A, y.A, x.rank, y.rank), columnProducts(x.B, y.B, x.rank, y.rank)];
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return x.scale * y.scale * sum;
}

/**
 * Singular values of ΔW, largest first, from the r×r problem (A Aᵀ)^½ (BᵀB) (A Aᵀ)^½, whose eigenvalues are their
 * squares.
 */
export function singularValues({ A, B, rank, scale }: LowRank): number[] {
  const { values, vectors } = symmetricEigen(square(rowProducts(A, A, rank, rank), rank));
  const b = square(columnProducts(B, B, rank, rank), rank);
  const roots = values.map((v) => Math.sqrt(Math.max(0, v)));
  const inner = vectors.map((u, i) =>
    vectors.map((w, j) => {
      let sum = 0;
      for (let k = 0; k < rank; k++) for (let l = 0; l < rank; l++) sum += u[k] * b[k][l] * w[l];
      return roots[i] * roots[j] * sum;
    }),
  );
  return symmetricEigen(inner).values.map((v) => Math.abs(scale) * Math.sqrt(Math.max(0, v)));
}

export const square = (values: Float64Array, n: number): Float64Array[] =>
  Array.from({ length: n }, (_, i) => values.subarray(i * n, (i + 1) * n));

/** x yᵀ of x (p, n) and y (q, n). */
export function rowProducts(x: Float32Array, y: Float32Array, p: number, q: number): Float64Array {
  const n = x.length / p;
  const out = new Float64Array(p * q);
  for (let i = 0; i < p; i++)
    for (let j = 0; j < q; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += x[i * n + k] * y[j * n + k];
      out[i * q + j] = sum;
    }
  return out;
}

/** xᵀ y of x (n, p) and y (n, q). */
export function columnProducts(x: Float32Array, y: Float32Array, p: number, q: number): Float64Array {
  const out = new Float64Array(p * q);
  for (let k = 0; k < x.length / p; k++)
    for (let i = 0; i < p; i++) for (let j = 0; j < q; j++) out[i * q + j] += x[k * p + i] * y[k * q + j];
  return out;
}

/** ΔW of a method without low-rank factors: (out, in), row-major. */
export interface Dense {
  weight: Float32Array;
  outFeatures: number;
}

/** ⟨ΔW, ΔW′⟩ */
export function denseProduct({ weight: x }: Dense, { weight: y }: Dense): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
  return sum;
}

/**
 * Singular values of ΔW, largest first: roots of the eigenvalues of ΔW ΔWᵀ, or of ΔWᵀ ΔW if that is smaller. Values
 * below 1e-8 of the largest are therefore rounding noise.
 */
export function denseSingularValues({ weight, outFeatures }: Dense): number[] {
  const inFeatures = weight.length / outFeatures;
  const rows =
    outFeatures <= inFeatures
      ? rowsOf(weight, inFeatures)
      : rowsOf(transposed(weight, outFeatures), outFeatures);
  const gram = rows.map((row, i) => {
    const out = new Float64Array(rows.length);
    for (let j = 0; j <= i; j++) {
      const other = rows[j];
      let sum = 0;
      for (let k = 0; k < row.length; k++) sum += row[k] * other[k];
      out[j] = sum;
    }
    return out;
  });
  return eigenvalues(gram).map((v) => Math.sqrt(Math.max(0, v)));
}

const rowsOf = (values: Float32Array, width: number): Float32Array[] =>
  Array.from({ length: values.length / width }, (_, i) => values.subarray(i * width, (i + 1) * width));

function transposed(values: Float32Array, rows: number): Float32Array {
  const columns = values.length / rows;
  return values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)]);
}

/**
 * Points on their first two principal components, from their inner products alone: the eigenvectors of the doubly
 * centered matrix, scaled by the roots of its eigenvalues (classical scaling; Mardia, Kent and Bibby, chapter 14).
 *
 * @param products ⟨point i, point j⟩, n rows of n
 */
export function principalPlane(products: readonly ArrayLike<number>[]): {
  points: { x: number; y: number }[];
  /** Share of the variance that each component explains. */
  shares: [number, number];
} {
  const n = products.length;
  const means = products.map((row) => Array.from(row).reduce((a, b) => a + b, 0) / n);
  const mean = means.reduce((a, b) => a + b, 0) / n;
  const centered = products.map((row, i) => Array.from(row, (v, j) => v - means[i] - means[j] + mean));
  const { values, vectors } = symmetricEigen(centered);
  const all = values.reduce((sum, v) => sum + Math.max(0, v), 0);
  const axis = (k: number): number[] => {
    if (k >= n) return new Array<number>(n).fill(0);
    const length = Math.sqrt(Math.max(0, values[k]));
    // The sign is arbitrary: the last point, or the farthest, is on the positive side.
    const far =
      k === 0
        ? n - 1
        : vectors[k].reduce((best, v, i, all) => (Math.abs(v) > Math.abs(all[best]) ? i : best), 0);
    const sign = vectors[k][far] < 0 ? -1 : 1;
    return Array.from(vectors[k], (v) => sign * length * v);
  };
  const [x, y] = [axis(0), axis(1)];
  const share = (k: number) => (all > 0 ? Math.max(0, values[k] ?? 0) / all : 0);
  return { points: x.map((v, i) => ({ x: v, y: y[i] })), shares: [share(0), share(1)] };
}

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
