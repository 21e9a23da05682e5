import { describe, expect, it } from 'vitest';
import { truncatedProduct, truncatedSvd } from '../../../../src/adapters/combine/truncated-svd';
import { symmetricEigen } from '../../../../src/adapters/symmetric-eigen';
import { denseSingularValues } from '../../../../src/adapters/update-geometry';
import { normal } from '../../../../src/base/random';

const random = (n: number, seed: number) => Float32Array.from({ length: n }, (_, i) => normal(seed, i));

function product(B: Float32Array, A: Float32Array, inner: number): Float32Array {
  const columns = A.length / inner;
  return Float32Array.from({ length: (B.length / inner) * columns }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < inner; k++)
      sum += B[Math.floor(at / columns) * inner + k] * A[k * columns + (at % columns)];
    return sum;
  });
}

const square = (values: Float32Array) => values.reduce((sum, v) => sum + v * v, 0);

/** The largest inner product of two rows of A, and the largest distance of a length from 1. */
function fromOrthonormal(A: Float32Array, rank: number): number {
  const columns = A.length / rank;
  let most = 0;
  for (let k = 0; k < rank; k++)
    for (let l = 0; l <= k; l++) {
      let sum = 0;
      for (let i = 0; i < columns; i++) sum += A[k * columns + i] * A[l * columns + i];
      most = Math.max(most, Math.abs(sum - (k === l ? 1 : 0)));
    }
  return most;
}

/** The squared distance of the best approximation of a rank: the sum of the other squared singular values. */
const bestDistance = (M: Float32Array, rows: number, rank: number) =>
  denseSingularValues({ weight: M, outFeatures: rows })
    .slice(rank)
    .reduce((sum, v) => sum + v * v, 0);

const distance = (M: Float32Array, { A, B }: { A: Float32Array; B: Float32Array }, rank: number) => {
  const near = product(B, A, rank);
  return square(M.map((v, i) => v - near[i]));
};

describe('the largest singular values and vectors of a matrix', () => {
  it.each([
    [40, 40, 4],
    [130, 90, 8],
    [90, 130, 8],
    [7, 200, 5],
    [200, 7, 7],
    [1, 6, 1],
  ])('of %i × %i and rank %i are its best approximation', (rows, columns, rank) => {
    // Products with a tail of noise, as pruned changes have them.
    const M = product(random(rows * 3, 1), random(3 * columns, 2), 3);
    random(rows * columns, 3).forEach((v, i) => (M[i] += 0.2 * v));
    const found = truncatedSvd(M, rows, columns, rank);
    const best = bestDistance(M, rows, rank);
    expect(distance(M, found, rank)).toBeLessThan(best * (1 + 1e-5) + 1e-8 * square(M));
    expect(fromOrthonormal(found.A, rank)).toBeLessThan(1e-5);
    expect(found.norm).toBeCloseTo(square(M), 6);
    expect(found.norm - found.kept).toBeCloseTo(best, 3);
  });

  it('has no gap to rely on: values that are all equal', () => {
    const M = new Float32Array(24 * 24);
    for (let i = 0; i < 24; i++) M[i * 25] = 2;
    const found = truncatedSvd(M, 24, 24, 5);
    expect(distance(M, found, 5)).toBeCloseTo(4 * 19, 4);
  });

  it.each([0, 1, 2])('fills a matrix of rank %i up with directions that can be trained', (inner) => {
    const M =
      inner === 0 ? new Float32Array(30 * 20) : product(random(30 * inner, 4), random(inner * 20, 5), inner);
    const found = truncatedSvd(M, 30, 20, 4);
    expect(distance(M, found, 4)).toBeLessThan(1e-8 * square(M) + 1e-12);
    expect(fromOrthonormal(found.A, 4)).toBeLessThan(1e-5);
  });
});

describe('the largest singular values and vectors of a product', () => {
  it.each([
    [50, 30, 6, 6],
    [50, 30, 6, 3],
    [12, 40, 9, 1],
  ])('of %i × %i through %i, at rank %i, are those of the matrix', (rows, columns, inner, rank) => {
    const [B, A] = [random(rows * inner, 6), random(inner * columns, 7)];
    const M = product(B, A, inner);
    const found = truncatedProduct(B, A, inner, rank);
    expect(distance(M, found, rank)).toBeLessThan(
      bestDistance(M, rows, rank) * (1 + 1e-5) + 1e-8 * square(M),
    );
    expect(fromOrthonormal(found.A, rank)).toBeLessThan(1e-5);
    expect(found.norm / square(M)).toBeCloseTo(1, 5);
  });

  it('whose factors repeat is of a smaller rank', () => {
    const [B, A] = [random(20 * 2, 8), random(2 * 16, 9)];
    const twice = Float32Array.from({ length: 20 * 4 }, (_, i) => B[Math.floor(i / 4) * 2 + (i % 2)]);
    const found = truncatedProduct(twice, Float32Array.from([...A, ...A]), 4, 4);
    const M = product(B, A, 2).map((v) => 2 * v);
    expect(distance(M, found, 4)).toBeLessThan(1e-8 * square(M));
    expect(fromOrthonormal(found.A, 4)).toBeLessThan(1e-5);
    const lengths = symmetricEigen(
      [0, 1, 2, 3].map((k) =>
        [0, 1, 2, 3].map((l) => {
          let sum = 0;
          for (let o = 0; o < 20; o++) sum += found.B[o * 4 + k] * found.B[o * 4 + l];
          return sum;
        }),
      ),
    ).values;
    expect(lengths[2]).toBeLessThan(1e-8 * lengths[0]);
  });

  it('of zeros has a B of zeros', () => {
    const found = truncatedProduct(new Float32Array(10 * 2), random(2 * 8, 1), 2, 2);
    expect([...found.B].every((v) => v === 0)).toBe(true);
    expect(fromOrthonormal(found.A, 2)).toBeLessThan(1e-5);
  });
});
