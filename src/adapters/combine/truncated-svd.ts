import { normal, Stream } from '../../base/random';
import { symmetricEigen, tridiagonalEigen } from '../symmetric-eigen';
import { columnProducts, rowProducts, square } from '../update-geometry';

/** The best approximation of a matrix (out, in) by one of a rank: B·A with orthonormal rows of A. */
export interface Truncated {
  /** (rank, in), row-major. */
  A: Float32Array;
  /** (out, rank), row-major; the lengths of its columns are the singular values. */
  B: Float32Array;
  /** ‖B·A‖² and the squared norm of the whole matrix. */
  kept: number;
  norm: number;
}

/** Squared singular values below this share of the largest are rounding noise: float32 has 24 bits. */
const NOISE = 1e-13;

/**
 * The largest singular values and vectors of B·A without the product: from the R×R problem
 * (A Aᵀ)^½ (BᵀB) (A Aᵀ)^½, whose eigenvectors w give the columns B (A Aᵀ)^½ w of lengths σ (Golub and Van Loan, Matrix
 * Computations, 8.6).
 *
 * @param B (out, inner), row-major
 * @param A (inner, in), row-major
 * @param rank at most inner, out and in
 */
export function truncatedProduct(B: Float32Array, A: Float32Array, inner: number, rank: number): Truncated {
  const [rows, columns] = [B.length / inner, A.length / inner];
  const { values, vectors } = symmetricEigen(square(rowProducts(A, A, inner, inner), inner));
  const b = square(columnProducts(B, B, inner, inner), inner);
  const roots = values.map((v) => Math.sqrt(Math.max(0, v)));
  const timesB = vectors.map((u) => b.map((row) => row.reduce((sum, x, k) => sum + x * u[k], 0)));
  const core = vectors.map((u, i) =>
    timesB.map((v, j) => roots[i] * roots[j] * v.reduce((sum, x, k) => sum + x * u[k], 0)),
  );
  const { values: squares, vectors: found } = symmetricEigen(core);
  const out = emptyTruncated(rows, columns, rank, squares);
  let k = 0;
  for (; k < rank && squares[k] > NOISE * squares[0]; k++) {
    // (A Aᵀ)^½ w in the basis of the inner dimension.
    const inside = Float64Array.from({ length: inner }, (_, i) =>
      vectors.reduce((sum, u, j) => sum + u[i] * roots[j] * found[k][j], 0),
    );
    const left = new Float64Array(rows);
    const through = new Float64Array(inner);
    for (let o = 0; o < rows; o++) {
      for (let i = 0; i < inner; i++) left[o] += B[o * inner + i] * inside[i];
      for (let i = 0; i < inner; i++) through[i] += B[o * inner + i] * left[o];
    }
    for (let o = 0; o < rows; o++) out.B[o * rank + k] = left[o];
    for (let c = 0; c < columns; c++) {
      let sum = 0;
      for (let i = 0; i < inner; i++) sum += through[i] * A[i * columns + c];
      out.A[k * columns + c] = sum / squares[k];
    }
  }
  fillRows(out.A, columns, k, rank);
  return out;
}

function emptyTruncated(rows: number, columns: number, rank: number, squares: readonly number[]): Truncated {
  const positive = squares.map((v) => Math.max(0, v));
  return {
    A: new Float32Array(rank * columns),
    B: new Float32Array(rows * rank),
    kept: positive.slice(0, rank).reduce((sum, v) => sum + v, 0),
    norm: positive.reduce((sum, v) => sum + v, 0),
  };
}

/**
 * Unit rows that are orthogonal to all others, for singular values of 0: with a zero row of A beside a zero column of B,
 * no gradient would ever reach either.
 */
function fillRows(A: Float32Array, columns: number, from: number, to: number): void {
  const rows = (count: number) =>
    Array.from({ length: count }, (_, k) => A.subarray(k * columns, (k + 1) * columns));
  for (let k = from; k < to; k++) A.set(unitOrthogonal(rows(k), columns, k), k * columns);
}

/** A unit vector orthogonal to orthonormal ones, which are fewer than its length; the same each time. */
function unitOrthogonal(others: readonly ArrayLike<number>[], size: number, key: number): Float64Array {
  for (let attempt = 0; ; attempt++) {
    const v = Float64Array.from({ length: size }, (_, i) => normal(0, Stream.combination, key, attempt, i));
    const before = length(v);
    orthogonalize(v, others);
    if (length(v) > 1e-3 * before) return scaled(v, 1 / length(v));
  }
}

const length = (v: Float64Array): number => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));

const scaled = (v: Float64Array, by: number): Float64Array => v.map((x) => x * by);

/** Twice, which is enough for full precision (Giraud, Langou and Rozložník, 2005). */
function orthogonalize(v: Float64Array, others: readonly ArrayLike<number>[]): void {
  for (let pass = 0; pass < 2; pass++)
    for (const u of others) {
      let along = 0;
      for (let i = 0; i < v.length; i++) along += u[i] * v[i];
      for (let i = 0; i < v.length; i++) v[i] -= along * u[i];
    }
}

/**
 * Residuals of singular vectors, as a share of the largest singular value, that count as 0: what the approximation loses is of their
 * squares.
 */
const CONVERGED = 1e-5;

/**
 * The largest singular values and vectors of a matrix by Golub, Kahan and Lanczos' bidiagonalization with full
 * reorthogonalization (Golub and Van Loan, Matrix Computations, 10.4): as many steps as these need, and at most as many
 * as the matrix has rows or columns, with which it is exact.
 *
 * @param M (rows, columns), row-major
 * @param rank at most rows and columns
 */
export function truncatedSvd(M: Float32Array, rows: number, columns: number, rank: number): Truncated {
  const { left: us, right: vs, values } = largestTriplets(matrixMap(M, rows, columns), rank, CONVERGED);
  const norm = M.reduce((sum, x) => sum + x * x, 0);
  const out = {
    ...emptyTruncated(
      rows,
      columns,
      rank,
      values.map((v) => v * v),
    ),
    norm,
  };
  let k = 0;
  for (; k < rank && values[k] ** 2 > NOISE * values[0] ** 2; k++) {
    for (let o = 0; o < rows; o++) out.B[o * rank + k] = us[k][o] * values[k];
    out.A.set(vs[k], k * columns);
  }
  fillRows(out.A, columns, k, rank);
  return out;
}

/** A linear map by its products, for matrices that are not built or not stored by rows. */
export interface LinearMap {
  /** Dimensions of its results and of its inputs. */
  rows: number;
  columns: number;
  /** M v (rows) of v (columns). */
  along: (v: Float64Array) => Float64Array;
  /** Mᵀ u (columns) of u (rows). */
  back: (u: Float64Array) => Float64Array;
}

/** @param M (rows, columns), row-major */
export const matrixMap = (M: Float32Array | Float64Array, rows: number, columns: number): LinearMap => ({
  rows,
  columns,
  along: (v) => times(M, columns, v),
  back: (u) => timesTransposed(M, columns, u),
});

/** Singular values, largest first, and their unit vectors. Vectors of a value of 0 have no meaning. */
export interface Triplets {
  values: number[];
  /** Left vectors, of `rows` numbers each. */
  left: Float64Array[];
  /** Right vectors, of `columns` numbers each. */
  right: Float64Array[];
}

/**
 * The largest singular values and vectors of a linear map, by the same bidiagonalization.
 *
 * @param rank at most rows and columns
 * @param tolerance of the residuals ‖M v − σ u‖, as a share of the largest singular value
 */
export function largestTriplets(map: LinearMap, rank: number, tolerance: number): Triplets {
  const { rows, columns, along, back } = map;
  if (columns <= rows) return largest(along, back, columns, rank, tolerance);
  const { left, right, values } = largest(back, along, rows, rank, tolerance);
  return { values, left: right, right: left };
}

/** Singular vectors of the map from `size` dimensions to at least as many. */
function largest(
  along: (v: Float64Array) => Float64Array,
  back: (u: Float64Array) => Float64Array,
  size: number,
  rank: number,
  tolerance: number,
): Triplets {
  const us: Float64Array[] = [];
  const vs = [unitOrthogonal([], size, 0)];
  const alphas: number[] = [];
  const betas: number[] = [];
  let looks = Math.min(size, 2 * rank + 16);
  let scale = 0;
  for (;;) {
    const k = us.length;
    const u = along(vs[k]);
    const [alpha, nextU] = unit(u, us, k);
    alphas.push(alpha);
    us.push(nextU);
    const [beta, nextV] = k + 1 < size ? unit(back(nextU), vs, k + 1) : [0, undefined];
    betas.push(beta);
    scale = Math.max(scale, alpha, beta);
    if (us.length === looks) {
      const found = ofBidiagonal(alphas, betas, rank);
      const limit = tolerance * found.values[0];
      if (us.length === size || found.residuals.every((r) => r <= limit))
        return {
          values: found.values,
          left: found.left.map((p) => mixed(us, p)),
          right: found.right.map((q) => mixed(vs, q)),
        };
      looks = Math.min(size, Math.ceil(1.5 * looks));
    }
    if (nextV) vs.push(nextV);
  }

  /** The part of a vector that is orthogonal to the others, its length and direction; any direction if nothing is left. */
  function unit(v: Float64Array, others: readonly Float64Array[], key: number): [number, Float64Array] {
    const before = length(v);
    orthogonalize(v, others);
    const rest = length(v);
    if (rest > 1e-14 * Math.max(before, scale)) return [rest, scaled(v, 1 / rest)];
    return [0, unitOrthogonal(others, v.length, key)];
  }
}

/** Singular values and vectors of the upper bidiagonal matrix with these diagonals, as far as the rank. */
function ofBidiagonal(alphas: readonly number[], betas: readonly number[], rank: number) {
  const n = alphas.length;
  // The product of its transpose and itself.
  const { values: squares, vectors } = tridiagonalEigen(
    alphas.map((alpha, i) => alpha ** 2 + (i > 0 ? betas[i - 1] ** 2 : 0)),
    alphas.slice(0, -1).map((alpha, i) => alpha * betas[i]),
  );
  const values = squares.slice(0, rank).map((v) => Math.sqrt(Math.max(0, v)));
  const right = vectors.slice(0, rank);
  const left = right.map((q, k) =>
    q.map((x, i) => {
      const sum = alphas[i] * x + (i + 1 < n ? betas[i] * q[i + 1] : 0);
      return values[k] > 0 ? sum / values[k] : 0;
    }),
  );
  return { values, left, right, residuals: left.map((p) => Math.abs(betas[n - 1] * p[n - 1])) };
}

/** The combination of vectors with these coefficients. */
function mixed(vectors: readonly Float64Array[], by: Float64Array): Float64Array {
  const out = new Float64Array(vectors[0].length);
  by.forEach((c, k) => {
    const v = vectors[k];
    for (let i = 0; i < out.length; i++) out[i] += c * v[i];
  });
  return out;
}

/** M v, of four rows at a time: one sum after the other would wait for each addition. */
function times(M: Float32Array | Float64Array, columns: number, v: Float64Array): Float64Array {
  const rows = M.length / columns;
  const out = new Float64Array(rows);
  const even = rows - (rows % 4);
  for (let o = 0; o < even; o += 4) {
    let [a, b, c, d] = [0, 0, 0, 0];
    const [first, second, third, fourth] = [o, o + 1, o + 2, o + 3].map((row) => row * columns);
    for (let i = 0; i < columns; i++) {
      const x = v[i];
      a += M[first + i] * x;
      b += M[second + i] * x;
      c += M[third + i] * x;
      d += M[fourth + i] * x;
    }
    out[o] = a;
    out[o + 1] = b;
    out[o + 2] = c;
    out[o + 3] = d;
  }
  for (let o = even; o < rows; o++) {
    let sum = 0;
    for (let i = 0, at = o * columns; i < columns; i++, at++) sum += M[at] * v[i];
    out[o] = sum;
  }
  return out;
}

/** Mᵀ u, of four rows at a time: the result is read and written less often. */
function timesTransposed(M: Float32Array | Float64Array, columns: number, u: Float64Array): Float64Array {
  const out = new Float64Array(columns);
  const even = u.length - (u.length % 4);
  for (let o = 0; o < even; o += 4) {
    const [a, b, c, d] = [u[o], u[o + 1], u[o + 2], u[o + 3]];
    const [first, second, third, fourth] = [o, o + 1, o + 2, o + 3].map((row) => row * columns);
    for (let i = 0; i < columns; i++)
      out[i] += M[first + i] * a + M[second + i] * b + M[third + i] * c + M[fourth + i] * d;
  }
  for (let o = even; o < u.length; o++) {
    const by = u[o];
    for (let i = 0, at = o * columns; i < columns; i++, at++) out[i] += M[at] * by;
  }
  return out;
}
