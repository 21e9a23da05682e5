/** Ridges of the directions that are tried, as shares of the mean square of an input. */
const RIDGES = [1e-1, 1e-3, 1e-5];

/** Number of the directions that `constantDirections` returns. */
export const DIRECTIONS = RIDGES.length;

/** The most tokens whose inputs are compared: the time grows with the square of their number. */
export const MOST_INPUTS = 512;

/**
 * Vectors v with vᵀx ≈ 1 for the inputs x of a layer: a constant can be added to a product with x where there is no place
 * for a bias. v = Xᵀ (X Xᵀ + λI)⁻¹ 1, the ridge regression of 1 on x in its dual form, whose equations are as many as the
 * inputs, however wide the layer is (Saunders, Gammerman and Vovk, ICML 1998), for several λ.
 *
 * @param X inputs (count, width), row-major, at least one
 * @returns one vector (width) for each λ
 */
export function constantDirections(X: Float32Array, width: number): Float32Array[] {
  const count = X.length / width;
  const rows = Array.from({ length: count }, (_, i) => X.subarray(i * width, (i + 1) * width));
  const products = rows.map((x, i) => Float64Array.from({ length: i + 1 }, (_, j) => dot(x, rows[j])));
  const mean = products.reduce((sum, row, i) => sum + row[i], 0) / count;
  return RIDGES.map((share) => {
    const v = new Float64Array(width);
    if (mean > 0)
      solveForOnes(products, share * mean).forEach((weight, i) => {
        const x = rows[i];
        for (let k = 0; k < width; k++) v[k] += weight * x[k];
      });
    return Float32Array.from(v);
  });
}

/** (K + λI)⁻¹ 1 of the lower triangle of a symmetric K without negative eigenvalues, by its Cholesky factor. */
function solveForOnes(K: readonly Float64Array[], lambda: number): Float64Array {
  const n = K.length;
  const L = K.map((row) => Float64Array.from(row));
  const y = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const own = L[i];
    own[i] += lambda;
    for (let j = 0; j <= i; j++) {
      const other = L[j];
      let sum = own[j];
      for (let k = 0; k < j; k++) sum -= own[k] * other[k];
      own[j] = j < i ? sum / other[j] : Math.sqrt(sum);
    }
    let left = 1;
    for (let k = 0; k < i; k++) left -= own[k] * y[k];
    y[i] = left / own[i];
  }
  for (let i = n - 1; i >= 0; i--) {
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
