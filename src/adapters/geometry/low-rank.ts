import type { WithAlpha } from '../../experiment/methods';
import { methodOf } from '../methods/registry';
import { fromPattern } from '../targets/targets';
import { symmetricEigen } from './symmetric-eigen';

/** ΔW = scale · B·A of one module: A (rank, in), B (out, rank), row-major. ΔW itself is never built here. */
export interface LowRank {
  A: Float32Array;
  B: Float32Array;
  rank: number;
  scale: number;
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
  return { ...method.lowRank!(values, { layer, spec: own, widest: layer }), rank, scale: method.scale!(own) };
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

const square = (values: Float64Array, n: number): Float64Array[] =>
  Array.from({ length: n }, (_, i) => values.subarray(i * n, (i + 1) * n));

/** x yᵀ of x (p, n) and y (q, n). */
function rowProducts(x: Float32Array, y: Float32Array, p: number, q: number): Float64Array {
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
function columnProducts(x: Float32Array, y: Float32Array, p: number, q: number): Float64Array {
  const out = new Float64Array(p * q);
  for (let k = 0; k < x.length / p; k++)
    for (let i = 0; i < p; i++) for (let j = 0; j < q; j++) out[i * q + j] += x[k * p + i] * y[k * q + j];
  return out;
}
