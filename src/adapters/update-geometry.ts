import type { WithAlpha } from '../experiment/methods';
import type { LayerValues } from './methods/method';
import { methodOf } from './methods/registry';
import { eigenvalues, symmetricEigen } from './symmetric-eigen';
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
