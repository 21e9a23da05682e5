import type { GraphBuilder } from '../../graph/builder';

/** The steps of Newton's iteration in `inverse`. */
const STEPS = 20;

/**
 * Emits R − 1 of the Cayley transform R = (1 − S)(1 + S)⁻¹, which is −2 S (1 + S)⁻¹, for skew-symmetric S (n, b, b).
 *
 * ONNX has no inverse. Here 1 + S is inverted by (1 − S) X, X = (1 − S²)⁻¹, and X by Newton's iteration X ← X (2 − A X). The
 * eigenvalues of A = 1 − S² = 1 + SᵀS are between 1 and 1 + ‖S‖²_F / 2, because those of SᵀS come in pairs, so that from
 * X = 2 / (2 + ‖S‖²_F / 2) the residual is at most ((‖S‖²_F / 2) / (2 + ‖S‖²_F / 2))^(2^k) after k steps: below the rounding of
 * float32 after 20 for ‖S‖_F up to about 490, where R turns by more than 179°. No gradient passes through these steps. One
 * more step for 1 + S, Y ← Y (2 − (1 + S) Y), has the exact derivative, −Y dS Y.
 */
export function cayley(
  g: GraphBuilder,
  S: string,
  size: number,
  dtype: number,
): { turn: string; stop: string[] } {
  const one = identity(g, size, dtype, 1);
  const two = identity(g, size, dtype, 2);
  const A = g.op('Sub', [one, g.op('MatMul', [S, S])]);
  const squares = g.op('ReduceSum', [g.op('Mul', [S, S]), g.ints([1, 2])], { keepdims: 1 });
  const divisor = g.op('Add', [g.op('Mul', [squares, g.scalar(0.25, dtype)]), g.scalar(1, dtype)]);
  let X = g.op('Div', [one, divisor]);
  for (let k = 0; k < STEPS; k++) X = newton(g, A, X, two);
  const Y = g.op('MatMul', [g.op('Sub', [one, S]), X]);
  const exact = newton(g, g.op('Add', [one, S]), Y, two);
  const turn = g.op('MatMul', [g.op('Mul', [S, g.scalar(-2, dtype)]), exact]);
  return { turn, stop: [Y] };
}

const newton = (g: GraphBuilder, A: string, X: string, two: string): string =>
  g.op('MatMul', [X, g.op('Sub', [two, g.op('MatMul', [A, X])])]);

/** `value` times the identity, (b, b). */
export const identity = (g: GraphBuilder, size: number, dtype: number, value: number): string =>
  g.constant(
    dtype,
    [size, size],
    Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? value : 0)),
  );

/** The matrix products of `cayley`, for one block. */
export const CAYLEY_PRODUCTS = 2 * STEPS + 5;

/** x (…, in) times a block-diagonal matrix of n blocks (n, b, b), or of one block everywhere. */
export function timesBlocks(g: GraphBuilder, x: string, blocks: string, n: number, size: number): string {
  const shape = g.op('Shape', [x]);
  if (n === 1) {
    const rows = g.op('Reshape', [x, g.ints([-1, size])]);
    return g.op('Reshape', [g.op('MatMul', [rows, g.op('Reshape', [blocks, g.ints([size, size])])]), shape]);
  }
  const parts = g.op('Transpose', [g.op('Reshape', [x, g.ints([-1, n, size])])], { perm: [1, 0, 2] });
  const turned = g.op('Transpose', [g.op('MatMul', [parts, blocks])], { perm: [1, 0, 2] });
  return g.op('Reshape', [turned, shape]);
}

/** R − 1 of the Cayley transform of a skew-symmetric matrix (b, b), by elimination in float64. */
export function cayleyOf(S: Float64Array, size: number): Float64Array {
  // Solves Yᵀ of Y (1 + S) = −2 S: rows of (1 + S)ᵀ = 1 − S, beside those of (−2 S)ᵀ = 2 S.
  const width = 2 * size;
  const rows = new Float64Array(size * width);
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) {
      rows[i * width + j] = (i === j ? 1 : 0) - S[i * size + j];
      rows[i * width + size + j] = 2 * S[i * size + j];
    }
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let i = column + 1; i < size; i++)
      if (Math.abs(rows[i * width + column]) > Math.abs(rows[pivot * width + column])) pivot = i;
    for (let j = 0; j < width; j++) {
      const kept = rows[column * width + j];
      rows[column * width + j] = rows[pivot * width + j];
      rows[pivot * width + j] = kept;
    }
    const divisor = rows[column * width + column];
    for (let j = 0; j < width; j++) rows[column * width + j] /= divisor;
    for (let i = 0; i < size; i++) {
      const factor = rows[i * width + column];
      if (i === column || factor === 0) continue;
      for (let j = 0; j < width; j++) rows[i * width + j] -= factor * rows[column * width + j];
    }
  }
  const out = new Float64Array(size * size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) out[i * size + j] = rows[j * width + size + i];
  return out;
}

/** The product of two matrices (b, b). */
export function squareProduct(a: Float64Array, b: Float64Array, size: number): Float64Array {
  const out = new Float64Array(size * size);
  for (let i = 0; i < size; i++)
    for (let k = 0; k < size; k++)
      for (let j = 0; j < size; j++) out[i * size + j] += a[i * size + k] * b[k * size + j];
  return out;
}

/** Rows (…, in) times a block-diagonal matrix 1 + D, D (n, b, b) or one block everywhere; row-major, in place. */
export function turnRows(
  rows: Float64Array,
  D: readonly Float64Array[],
  size: number,
  inFeatures: number,
): void {
  const before = new Float64Array(size);
  for (let at = 0; at < rows.length; at += size) {
    const block = D[D.length === 1 ? 0 : (at % inFeatures) / size];
    before.set(rows.subarray(at, at + size));
    for (let c = 0; c < size; c++) {
      let sum = before[c];
      for (let a = 0; a < size; a++) sum += before[a] * block[a * size + c];
      rows[at + c] = sum;
    }
  }
}

/** The positive divisors of a number, ascending. */
export const divisors = (n: number): number[] =>
  Array.from({ length: n }, (_, i) => i + 1).filter((d) => n % d === 0);

/** The blocks D of 1 + D transposed: W (1 + D)ᵀ is `turnRows` with these. */
export const transposedBlock = (D: Float64Array, size: number): Float64Array =>
  D.map((_, i) => D[(i % size) * size + Math.floor(i / size)]);
