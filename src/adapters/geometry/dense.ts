import { eigenvalues } from './eigenvalues';

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
