import { largestTriplets, matrixMap } from '../combine/truncated-svd';

/** Values that a LoRA starts from: A (rank, in) and B (out, rank), row-major. */
export interface Start {
  A: Float32Array;
  B: Float32Array;
}

/** A layer's weight with the adapter that starts on it. */
export interface StartingLayer {
  /** (out, in), row-major. */
  weight: Float32Array;
  inFeatures: number;
  outFeatures: number;
  rank: number;
  /** By which B·A is multiplied. */
  scale: number;
}

/**
 * Residuals of singular vectors, as a share of the largest value. A vector is off by the residual divided by the distance
 * to the next singular value, of which weights have few below a thousandth.
 */
const TOLERANCE = 1e-8;

/**
 * PiSSA (Meng et al., arXiv 2404.02948; PEFT's pissa_init): with W = U S Vᵀ, A = √(S/s) Vᵀ and B = U √(S/s) of the
 * largest singular values, so that s·B·A is the best approximation of W. Signs are free: one for each rank.
 */
export function pissaStart({ weight, inFeatures, outFeatures, rank, scale }: StartingLayer): Start {
  const map = matrixMap(weight, outFeatures, inFeatures);
  const { values, left, right } = largestTriplets(map, rank, TOLERANCE);
  const roots = values.map((v) => Math.sqrt(v / scale));
  return startOf(right, left, { A: roots, B: roots });
}

/**
 * OLoRA (Büyükakyüz, arXiv 2406.01775; PEFT's olora_init): with Q R = W, A is the first rows of R and B the first columns
 * of Q. Q R by Householder reflections, with LAPACK's signs: the diagonal of R is negative unless the column’s was.
 */
export function oloraStart({ weight, inFeatures, outFeatures, rank }: StartingLayer): Start {
  const Q = firstColumnsOfQ(weight, inFeatures, outFeatures, rank);
  const A = new Float32Array(rank * inFeatures);
  const row = new Float64Array(inFeatures);
  Q.forEach((q, k) => {
    // R = Qᵀ W, which is 0 left of the diagonal.
    row.fill(0);
    for (let o = 0; o < outFeatures; o++) {
      const by = q[o];
      if (by === 0) continue;
      for (let i = k, at = o * inFeatures + k; i < inFeatures; i++, at++) row[i] += by * weight[at];
    }
    A.set(row, k * inFeatures);
  });
  const B = new Float32Array(outFeatures * rank);
  Q.forEach((q, k) => q.forEach((v, o) => (B[o * rank + k] = v)));
  return { A, B };
}

/** Householder's Q of the first columns of W (Golub and Van Loan, Matrix Computations, 5.2). */
function firstColumnsOfQ(
  weight: Float32Array,
  inFeatures: number,
  outFeatures: number,
  count: number,
): Float64Array[] {
  const columns = Array.from({ length: count }, (_, k) =>
    Float64Array.from({ length: outFeatures }, (_, o) => weight[o * inFeatures + k]),
  );
  const reflections: { v: Float64Array; tau: number }[] = [];
  columns.forEach((x, k) => {
    for (const h of reflections) reflect(x, h);
    let below = 0;
    for (let o = k + 1; o < outFeatures; o++) below += x[o] ** 2;
    const length = Math.sqrt(x[k] ** 2 + below);
    const v = new Float64Array(outFeatures);
    // As LAPACK's dlarfg: without anything below the diagonal, there is no reflection.
    if (below === 0) return void reflections.push({ v, tau: 0 });
    const beta = x[k] >= 0 ? -length : length;
    v[k] = 1;
    for (let o = k + 1; o < outFeatures; o++) v[o] = x[o] / (x[k] - beta);
    reflections.push({ v, tau: (beta - x[k]) / beta });
  });
  return columns.map((_, k) => {
    const q = new Float64Array(outFeatures);
    q[k] = 1;
    for (let h = reflections.length - 1; h >= 0; h--) reflect(q, reflections[h]);
    return q;
  });
}

/** x − τ v (vᵀx), in place. */
function reflect(x: Float64Array, { v, tau }: { v: Float64Array; tau: number }): void {
  if (tau === 0) return;
  let along = 0;
  for (let o = 0; o < x.length; o++) along += v[o] * x[o];
  for (let o = 0; o < x.length; o++) x[o] -= tau * along * v[o];
}

/**
 * A and B from their vectors, each multiplied by its factor.
 *
 * @param rows of A
 * @param columns of B
 */
export function startOf(
  rows: readonly Float64Array[],
  columns: readonly Float64Array[],
  factors: { A: readonly number[]; B: readonly number[] },
): Start {
  const rank = rows.length;
  const A = new Float32Array(rank * rows[0].length);
  const B = new Float32Array(rank * columns[0].length);
  rows.forEach((v, k) => v.forEach((x, i) => (A[k * v.length + i] = x * factors.A[k])));
  columns.forEach((u, k) => u.forEach((x, o) => (B[o * rank + k] = x * factors.B[k])));
  return { A, B };
}
