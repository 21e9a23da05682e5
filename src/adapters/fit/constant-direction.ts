/**
 * Ridges of the directions that are tried, as shares of the mean square of an input. On the language demo, the better one's error
 * is within 3% of that of the best of eight between 0.001 and 30, in every layer.
 */
const RIDGES = [0.3, 0.01];

/** Enough inputs for a direction; the time for a wide layer grows with the square of their number. */
export const MOST_INPUTS = 512;

/**
 * Vectors v with vᵀx ≈ 1 for the inputs x of a layer: a constant can be added to a product with x where there is no place
 * for a bias. v is the ridge regression of 1 on x, for several λ, in the form with fewer equations:
 * (XᵀX + λI)⁻¹ Xᵀ1, or Xᵀ (XXᵀ + λI)⁻¹ 1 where the layer is wider than there are inputs (Saunders, Gammerman and Vovk,
 * ICML 1998).
 *
 * @param X inputs (count, width), row-major, at least one
 * @returns one vector (width) for each λ
 */
export function constantDirections(X: Float32Array, width: number): Float32Array[] {
  const count = X.length / width;
  const square = X.reduce((sum, x) => sum + x * x, 0) / count;
  if (square === 0) return RIDGES.map(() => new Float32Array(width));
  const rows = Array.from({ length: count }, (_, i) => X.subarray(i * width, (i + 1) * width));
  const ones = new Float64Array(count).fill(1);
  const isWide = width > count;
  const products = isWide ? innerProducts(rows) : outerProducts(rows, width);
  const wanted = isWide ? ones : weightedSum(rows, ones, width);
  return RIDGES.map((share) => {
    const found = solve(products, share * square, wanted);
    return Float32Array.from(isWide ? weightedSum(rows, found, width) : found);
  });
}

/** XXᵀ, the lower triangle. */
const innerProducts = (rows: readonly Float32Array[]): Float64Array[] =>
  rows.map((x, i) => Float64Array.from({ length: i + 1 }, (_, j) => dot(x, rows[j])));

/** XᵀX, the lower triangle. */
function outerProducts(rows: readonly Float32Array[], width: number): Float64Array[] {
  const out = Array.from({ length: width }, (_, i) => new Float64Array(i + 1));
  for (const x of rows) for (let i = 0; i < width; i++) for (let j = 0; j <= i; j++) out[i][j] += x[i] * x[j];
  return out;
}

/** Xᵀw */
function weightedSum(rows: readonly Float32Array[], weights: Float64Array, width: number): Float64Array {
  const out = new Float64Array(width);
  rows.forEach((x, i) => {
    for (let k = 0; k < width; k++) out[k] += weights[i] * x[k];
  });
  return out;
}

/** (K + λI)⁻¹ b of the lower triangle of a symmetric K without negative eigenvalues, by its Cholesky factor. */
function solve(K: readonly Float64Array[], lambda: number, b: Float64Array): Float64Array {
  const L = K.map((row) => Float64Array.from(row));
  const y = Float64Array.from(b);
  L.forEach((own, i) => {
    own[i] += lambda;
    for (let j = 0; j <= i; j++) {
      const other = L[j];
      let sum = own[j];
      for (let k = 0; k < j; k++) sum -= own[k] * other[k];
      own[j] = j < i ? sum / other[j] : Math.sqrt(sum);
    }
    for (let k = 0; k < i; k++) y[i] -= own[k] * y[k];
    y[i] /= own[i];
  });
  for (let i = y.length - 1; i >= 0; i--) {
    y[i] /= L[i][i];
    for (let k = 0; k < i; k++) y[k] -= L[i][k] * y[i];
  }
  return y;
}

function dot(x: Float32Array, y: Float32Array): number {
  let sum = 0;
  for (let k = 0; k < x.length; k++) sum += x[k] * y[k];
  return sum;
}
