import { cholesky } from '../cholesky';
import { fullEigen } from '../symmetric-eigen';

/** The share of the trace of Σ WᵀW that keeps its factor apart from singular: below the rounding of float32 in W. */
const RIDGE = 1e-13;

/**
 * The basis V (in, in) that FRoD gives to the weights Wₗ (out, in) of one category: as `_projection_from_weights` in
 * tuners/frod/model.py of PEFT, a higher-order generalized singular value decomposition. With Q R the QR decomposition of
 * all rows, and Qₗ the rows of Q that are Wₗ's, V = Rᵀ E, where E has the eigenvectors of the mean of (QₗᵀQₗ + α)⁻¹. If the
 * weights together have fewer rows than columns, V has their right singular vectors, the largest first.
 *
 * Here R is the Cholesky factor of Σ WₗᵀWₗ, since Qₗ = Wₗ R⁻¹, so that no matrix of all rows is needed:
 * (QₗᵀQₗ + α)⁻¹ = R (WₗᵀWₗ + α RᵀR)⁻¹ Rᵀ. All in float64. Signs and order of the columns are free.
 *
 * @param weights of the layers, each read several times
 * @param size their number of columns
 * @param alpha α, above 0
 * @returns V, row-major
 */
export function jointBasis(
  weights: readonly (() => Float32Array)[],
  size: number,
  alpha: number,
): Float32Array {
  const all = new Float64Array(size * size);
  let rows = 0;
  for (const weight of weights) {
    const W = weight();
    rows += W.length / size;
    addGram(all, W, size);
  }
  if (rows < size) return asColumns(fullEigen(rowsOf(all, size)).vectors);
  let trace = 0;
  for (let i = 0; i < size; i++) trace += all[i * size + i];
  for (let i = 0; i < size; i++) all[i * size + i] += RIDGE * trace;
  const mean = new Float64Array(size * size);
  for (const weight of weights) {
    const own = all.map((v) => alpha * v);
    addGram(own, weight(), size);
    invert(own, size);
    for (let i = 0; i < own.length; i++) mean[i] += own[i] / weights.length;
  }
  const L = cholesky(all, size);
  // R M Rᵀ with R = Lᵀ.
  const T = transposeTimes(L, transposed(transposeTimes(L, mean, size), size), size);
  return asColumns(fullEigen(rowsOf(T, size)).vectors.map((e) => times(L, e, size)));
}

/** V⁻ᵀ by elimination with pivots; undefined if V (in, in) is singular. */
export function inverseTransposed(V: Float32Array, size: number): Float64Array | undefined {
  const M = transposed(Float64Array.from(V), size);
  return invert(M, size) ? M : undefined;
}

/** WᵀW is added to a symmetric sum, W (rows, size); of four rows at a time, so that the sum is read and written less often. */
function addGram(sum: Float64Array, W: Float32Array, size: number): void {
  const even = W.length - (W.length % (4 * size));
  for (let from = 0; from < even; from += 4 * size) {
    const [first, second, third, fourth] = [0, 1, 2, 3].map((row) => from + row * size);
    for (let i = 0; i < size; i++) {
      const [a, b, c, d] = [W[first + i], W[second + i], W[third + i], W[fourth + i]];
      const row = i * size;
      for (let j = 0; j <= i; j++)
        sum[row + j] += a * W[first + j] + b * W[second + j] + c * W[third + j] + d * W[fourth + j];
    }
  }
  for (let from = even; from < W.length; from += size)
    for (let i = 0; i < size; i++)
      for (let j = 0; j <= i; j++) sum[i * size + j] += W[from + i] * W[from + j];
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) sum[j * size + i] = sum[i * size + j];
}

/** In place, by Gauss and Jordan with row pivots. Returns false if a pivot is 0. */
function invert(M: Float64Array, size: number): boolean {
  const swaps: number[] = [];
  for (let k = 0; k < size; k++) {
    let pivot = k;
    for (let i = k + 1; i < size; i++)
      if (Math.abs(M[i * size + k]) > Math.abs(M[pivot * size + k])) pivot = i;
    const value = M[pivot * size + k];
    if (!(Math.abs(value) > 0)) return false;
    swaps.push(pivot);
    const row = M.subarray(k * size, (k + 1) * size);
    if (pivot !== k) {
      const other = M.subarray(pivot * size, (pivot + 1) * size);
      const kept = row.slice();
      row.set(other);
      other.set(kept);
    }
    row[k] = 1;
    for (let j = 0; j < size; j++) row[j] /= value;
    for (let i = 0; i < size; i++) {
      if (i === k) continue;
      const at = i * size;
      const factor = M[at + k];
      if (factor === 0) continue;
      M[at + k] = 0;
      for (let j = 0; j < size; j++) M[at + j] -= factor * row[j];
    }
  }
  for (let k = size - 1; k >= 0; k--) {
    const pivot = swaps[k];
    if (pivot === k) continue;
    for (let i = 0; i < size; i++) {
      const kept = M[i * size + k];
      M[i * size + k] = M[i * size + pivot];
      M[i * size + pivot] = kept;
    }
  }
  return true;
}

/** Lᵀ M for a lower triangle. */
function transposeTimes(L: Float64Array, M: Float64Array, size: number): Float64Array {
  const out = new Float64Array(size * size);
  for (let k = 0; k < size; k++)
    for (let i = 0; i <= k; i++) {
      const by = L[k * size + i];
      for (let j = 0; j < size; j++) out[i * size + j] += by * M[k * size + j];
    }
  return out;
}

/** L v for a lower triangle. */
function times(L: Float64Array, v: Float64Array, size: number): Float64Array {
  return v.map((_, i) => {
    let sum = 0;
    for (let j = 0; j <= i; j++) sum += L[i * size + j] * v[j];
    return sum;
  });
}

const transposed = (M: Float64Array, size: number): Float64Array =>
  M.map((_, at) => M[(at % size) * size + Math.floor(at / size)]);

const rowsOf = (M: Float64Array, size: number): Float64Array[] =>
  Array.from({ length: size }, (_, i) => M.slice(i * size, (i + 1) * size));

/** The matrix of these columns, row-major. */
function asColumns(vectors: readonly Float64Array[]): Float32Array {
  const size = vectors.length;
  const out = new Float32Array(size * size);
  vectors.forEach((v, k) => v.forEach((x, i) => (out[i * size + k] = x)));
  return out;
}
