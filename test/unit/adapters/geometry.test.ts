import { describe, expect, it } from 'vitest';
import {
  denseProduct,
  denseSingularValues,
  innerProduct,
  mergedPair,
  singularValues,
  type LowRank,
  principalPlane,
} from '../../../src/adapters/update-geometry';
import {
  eigenvalues,
  fullEigen,
  symmetricEigen,
  tridiagonalEigen,
} from '../../../src/adapters/symmetric-eigen';
import { methodOf } from '../../../src/adapters/methods/registry';
import { effectiveRank } from '../../../src/study/geometry';
import { auroraSpec, loraSpec } from '../specs';

let state = 11;
const uniform = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) + 0.5) / 2 ** 32 - 0.5;
const random = (n: number) => Float32Array.from({ length: n }, uniform);
const pair = (inFeatures: number, outFeatures: number, rank: number): LowRank => ({
  A: random(rank * inFeatures),
  B: random(outFeatures * rank),
  rank,
  scale: 1.5,
});
/** ΔW as a dense matrix, which the code under test never builds. */
function dense({ A, B, rank, scale }: LowRank): number[][] {
  const inFeatures = A.length / rank;
  return Array.from({ length: B.length / rank }, (_, o) =>
    Array.from({ length: inFeatures }, (_, i) => {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += B[o * rank + k] * A[k * inFeatures + i];
      return scale * sum;
    }),
  );
}
const dot = (x: number[][], y: number[][]) =>
  x.reduce((s, row, i) => row.reduce((t, v, j) => t + v * y[i][j], s), 0);

describe('the geometry of ΔW', () => {
  it('computes the inner products of the matrices', () => {
    for (const [rank, other] of [
      [1, 1],
      [2, 5],
      [4, 4],
    ]) {
      const [x, y] = [pair(13, 9, rank), pair(13, 9, other)];
      expect(innerProduct(x, y)).toBeCloseTo(dot(dense(x), dense(y)), 10);
    }
  });

  it('computes their singular values', () => {
    const p = pair(17, 11, 3);
    const w = dense(p);
    const gram = w.map((row) => w.map((other) => row.reduce((s, v, i) => s + v * other[i], 0)));
    const known = symmetricEigen(gram).values.slice(0, 3).map(Math.sqrt);
    singularValues(p).forEach((v, i) => expect(v).toBeCloseTo(known[i], 7));
    // B·A with orthogonal rows and columns: 3·2 and 1·0.5.
    const known2: LowRank = {
      rank: 2,
      scale: -2,
      A: Float32Array.from([0, 2, 0, 0.5, 0, 0]),
      B: Float32Array.from([3, 0, 0, 1]),
    };
    expect(singularValues(known2)).toEqual([expect.closeTo(12, 10), expect.closeTo(1, 10)]);
    expect(singularValues({ ...known2, B: new Float32Array(4) })).toEqual([0, 0]);
  });

  it("uses the merged form, with each layer's own rank and alpha", () => {
    const layer = { path: 'a.query', inFeatures: 8, outFeatures: 6 };
    for (const spec of [
      auroraSpec({ rank: 3, alpha: 6, rankPattern: { query: 2 } }),
      loraSpec({ rank: 2, alphaPattern: { query: 5 } }),
      { ...loraSpec({ rank: 2, alphaPattern: { query: 5 } }), method: 'moslora' } as const,
    ]) {
      const own = { ...spec, rank: 2, alpha: spec.method === 'aurora' ? 6 : 5 };
      const on = { layer, spec: own, widest: layer };
      const tensors = methodOf(own).tensors(on);
      const values = Object.fromEntries(tensors.map((t) => [t.name, random(t.dims.reduce((a, b) => a * b))]));
      const none = () => new Float32Array();
      const delta = methodOf(own).change(values, on, { weight: none, bias: none }).weight!;
      const p = mergedPair('a.query', spec, values);
      dense(p)
        .flat()
        .forEach((v, i) => expect(v).toBeCloseTo(delta[i], 6));
    }
  });

  it('projects to a plane that preserves the distances of three points', () => {
    const points = [pair(7, 5, 2), pair(7, 5, 2), pair(7, 5, 2)];
    const { points: at, shares } = principalPlane(points.map((x) => points.map((y) => innerProduct(x, y))));
    expect(shares[0] + shares[1]).toBeCloseTo(1, 12);
    expect(shares[0]).toBeGreaterThanOrEqual(shares[1]);
    for (const [i, j] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ]) {
      const apart = dense(points[i]).map((row, r) => row.map((v, c) => v - dense(points[j])[r][c]));
      expect(Math.hypot(at[i].x - at[j].x, at[i].y - at[j].y)).toBeCloseTo(Math.sqrt(dot(apart, apart)), 9);
    }
    expect(at[2].x).toBeGreaterThanOrEqual(0);
    expect(
      principalPlane([
        [0, 0],
        [0, 0],
      ]),
    ).toEqual({
      points: [
        { x: 0, y: 0 },
        { x: 0, y: 0 },
      ],
      shares: [0, 0],
    });
  });

  it('finds the eigenvalues and eigenvectors of a matrix solved by hand', () => {
    const m = [
      [2, 1, 0],
      [1, 2, 0],
      [0, 0, -5],
    ];
    const { values, vectors } = symmetricEigen(m);
    expect(values).toEqual([3, 1, -5].map((v) => expect.closeTo(v, 12)));
    vectors.forEach((v, k) =>
      m.forEach((row, i) =>
        expect(row.reduce((s, x, j) => s + x * v[j], 0)).toBeCloseTo(values[k] * v[i], 12),
      ),
    );
  });

  it('finds the eigenvalues and eigenvectors of tridiagonal matrices', () => {
    for (const n of [1, 2, 7, 60]) {
      const diagonal = random(n);
      // One of them falls apart into two, of which each has the other's eigenvectors to avoid.
      const beside = random(n - 1).map((v, i) => (n === 7 && i === 3 ? 0 : v));
      const m = Array.from({ length: n }, (_, i) =>
        Float64Array.from({ length: n }, (_, j) =>
          i === j ? diagonal[i] : Math.abs(i - j) === 1 ? beside[Math.min(i, j)] : 0,
        ),
      );
      const known = symmetricEigen(m).values;
      const { values, vectors } = tridiagonalEigen(diagonal, beside);
      values.forEach((v, k) => {
        expect(v).toBeCloseTo(known[k], 12);
        m.forEach((row, i) =>
          expect(row.reduce((s, x, j) => s + x * vectors[k][j], 0)).toBeCloseTo(v * vectors[k][i], 12),
        );
        vectors.forEach((w, l) =>
          expect(w.reduce((s, x, j) => s + x * vectors[k][j], 0)).toBeCloseTo(k === l ? 1 : 0, 12),
        );
      });
    }
  });

  it('finds the eigenvectors of matrices of any size', () => {
    // The zeros leave rows without a reflection.
    const isZero = (n: number, i: number, j: number) => n === 9 && Math.abs(i - j) > 1 && Math.max(i, j) > 5;
    for (const n of [1, 2, 3, 9, 40]) {
      const x = Array.from({ length: n }, () => random(n));
      const m = x.map((row, i) => Float64Array.from(row, (v, j) => (isZero(n, i, j) ? 0 : v + x[j][i])));
      const known = symmetricEigen(m).values;
      const { values, vectors } = fullEigen(m.map((row) => row.slice()));
      values.forEach((v, k) => {
        expect(v).toBeCloseTo(known[k], 11);
        m.forEach((row, i) =>
          expect(row.reduce((s, y, j) => s + y * vectors[k][j], 0)).toBeCloseTo(v * vectors[k][i], 11),
        );
        expect(vectors[k].reduce((s, y) => s + y * y, 0)).toBeCloseTo(1, 12);
      });
    }
  });

  it('finds the eigenvalues of matrices of any size without their eigenvectors', () => {
    for (const n of [1, 2, 3, 9, 40]) {
      const x = Array.from({ length: n }, () => random(n));
      const m = x.map((row, i) => Float64Array.from(row, (v, j) => v + x[j][i]));
      const known = symmetricEigen(m).values;
      const found = eigenvalues(m.map((row) => row.slice()));
      found.forEach((v, i) => expect(v).toBeCloseTo(known[i], 11));
    }
    const blocks = [Float64Array.of(0, 1, 0), Float64Array.of(1, 0, 0), Float64Array.of(0, 0, 0)];
    expect(eigenvalues(blocks)).toEqual([1, 0, -1].map((v) => expect.closeTo(v, 14)));
    expect(eigenvalues([new Float64Array(2), new Float64Array(2)])).toEqual([0, 0]);
  });

  it('gives the same result for a matrix and its factors, whichever side is longer', () => {
    for (const [inFeatures, outFeatures] of [
      [17, 11],
      [11, 17],
    ]) {
      const [x, y] = [pair(inFeatures, outFeatures, 3), pair(inFeatures, outFeatures, 2)];
      const whole = (p: LowRank) => ({ weight: Float32Array.from(dense(p).flat()), outFeatures });
      expect(denseProduct(whole(x), whole(y))).toBeCloseTo(innerProduct(x, y), 6);
      const values = denseSingularValues(whole(x));
      expect(values).toHaveLength(11);
      singularValues(x).forEach((v, i) => expect(values[i]).toBeCloseTo(v, 5));
      expect(values[3]).toBeLessThan(1e-5);
    }
  });

  it('counts all of n equal directions as n and a single one as 1', () => {
    expect(effectiveRank([2, 2, 2])).toBeCloseTo(3, 12);
    expect([effectiveRank([4, 0]), effectiveRank([0, 0])]).toEqual([1, 0]);
  });
});
