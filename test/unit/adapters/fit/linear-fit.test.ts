import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { constantDirections } from '../../../../src/adapters/fit/constant-direction';
import { fitLayer, layerFit, type LayerFit } from '../../../../src/adapters/fit/linear-fit';
import { Moments } from '../../../../src/adapters/fit/moments';
import type { Sigma } from '../../../../src/adapters/fit/regression';
import { anl } from '../../../../src/adapters/methods/anl';
import { normal } from '../../../../src/base/random';
import type { AuroraSpec } from '../../../../src/experiment/methods';
import { auroraSpec } from '../../specs';

type Matrix = number[][];

const flat = (matrix: Matrix): Float32Array => Float32Array.from(matrix.flat());

const product = (A: Matrix, x: number[]): number[] =>
  A.map((row) => row.reduce((sum, a, i) => sum + a * x[i], 0));

interface Layer {
  A: Matrix;
  B: Matrix;
  sigma: Sigma;
}

/** The fit of a layer on inputs, as `collectTokens` and `fitLayer` make it. */
function fit({ A, B, sigma }: Layer, x: Matrix, heldOut: Matrix): LayerFit {
  const rank = A.length;
  const directions = constantDirections(flat(x), A[0].length);
  const fitted = new Moments(2 * rank);
  const held = new Moments(2 * rank + directions.length);
  const seen = (input: number[]) => {
    const z = product(A, input);
    return [...z, ...Array.from(sigma(z))];
  };
  for (const input of x) fitted.add(seen(input));
  for (const input of heldOut)
    held.add([
      ...seen(input),
      ...product(
        directions.map((v) => [...v]),
        input,
      ),
    ]);
  return layerFit(fitLayer('query', rank, sigma, flat(B), { fitted, heldOut: held, directions }), flat(A));
}

const draws = (seed: number, rows: number, columns: number): Matrix =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => normal(seed, 99, i, j)));

function expectNear(found: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number): void {
  expect(found).toHaveLength(wanted.length);
  const largest = Math.max(1, ...Array.from(wanted, Math.abs));
  for (let i = 0; i < wanted.length; i++)
    expect(Math.abs(found[i] - wanted[i]), `${i}`).toBeLessThanOrEqual(tolerance * largest);
}

interface Case extends Record<'A' | 'B' | 'H' | 'W' | 'x' | 'heldOut' | 'M' | 'plainA', Matrix> {
  hyper: Partial<AuroraSpec>;
  rank: number;
  c: number[];
  plain: LayerFit['plain'];
  r2: number;
}

const CASES = JSON.parse(readFileSync('test/fixtures/linear-fit/torch.json', 'utf8')) as Case[];

describe('the linear fit of σ', () => {
  it.each(CASES.map((c, i) => [i, c.rank, c.hyper.activation, c.plain, c] as const))(
    'equals PyTorch’s in case %i: rank %i, %s, without a bias by %s',
    (_, rank, __, plain, { hyper, A, B, H, W, x, heldOut, ...wanted }) => {
      const spec = auroraSpec({ ...hyper, rank });
      const sigma: Sigma = (z) => anl(z, flat(H), flat(W), spec);
      const found = fit({ A, B, sigma }, x, heldOut);
      expectNear(found.M, wanted.M.flat(), 1e-6);
      expectNear(found.c, wanted.c, 1e-6);
      expect(Math.abs(found.r2 - wanted.r2)).toBeLessThan(1e-6);
      expect(found.plain).toBe(plain);
      expectNear(found.plainA, wanted.plainA.flat(), 1e-6);
      expect(found).toMatchObject({ path: 'query', tokens: x.length });
      expect(found).not.toHaveProperty('fallback');
    },
  );

  it('has cases of both rules for a layer without a bias', () => {
    expect(new Set(CASES.map((c) => c.plain))).toEqual(new Set(['origin', 'constant-direction']));
  });

  const A = draws(1, 2, 6);
  const B = draws(2, 5, 2);
  const curved: Sigma = (z) => [Math.tanh(z[0] - 0.5 * z[1]) + 0.3, Math.tanh(z[1]) * 0.8];

  it('is exact for a linear σ', () => {
    const linear: Sigma = (z) => [2 * z[0] - z[1] + 0.5, 3 * z[1] - 1];
    const found = fit({ A, B, sigma: linear }, draws(3, 50, 6), draws(4, 20, 6));
    expectNear(found.M, [2, -1, 0, 3], 1e-12);
    expectNear(found.c, [0.5, -1], 1e-12);
    expect(found.r2).toBeCloseTo(1, 12);
  });

  it('loses no digits where the mean of z is large beside its deviation', () => {
    const far = (rows: Matrix) => rows.map((row) => row.map((v) => 1e-2 * v + 30));
    const own = [[1, 0, 0, 0, 0, 0]];
    const linear: Sigma = (z) => [0.25 * z[0] + 1];
    const found = fit({ A: own, B: [[1]], sigma: linear }, far(draws(3, 60, 6)), far(draws(4, 20, 6)));
    expectNear(found.M, [0.25], 1e-10);
    expectNear(found.c, [1], 1e-9);
    expect(found).not.toHaveProperty('fallback');
  });

  it('takes the Jacobian where there are too few tokens for a regression', () => {
    const x = draws(5, 5, 6);
    const found = fit({ A, B, sigma: curved }, x, draws(6, 3, 6));
    expect(found.fallback).toBe('few-tokens');
    const z = x.map((input) => product(A, input));
    const mean = [0, 1].map((j) => z.reduce((sum, row) => sum + row[j], 0) / z.length);
    const slope = 1 - Math.tanh(mean[0] - 0.5 * mean[1]) ** 2;
    expectNear(found.M, [slope, -0.5 * slope, 0, 0.8 * (1 - Math.tanh(mean[1]) ** 2)], 1e-6);
    // The mean of what was seen is kept.
    const seen = z.map((row) => Array.from(curved(row)));
    for (const i of [0, 1]) {
      const wanted = seen.reduce((sum, row) => sum + row[i], 0) / seen.length;
      const fitted = found.M[2 * i] * mean[0] + found.M[2 * i + 1] * mean[1] + found.c[i];
      expect(fitted).toBeCloseTo(wanted, 10);
    }
  });

  it('takes the regression from two tokens for each coefficient on', () => {
    expect(fit({ A, B, sigma: curved }, draws(5, 6, 6), draws(6, 3, 6))).not.toHaveProperty('fallback');
  });

  it('keeps the value of σ where z is constant', () => {
    const same = Array.from({ length: 40 }, () => [1, 2, 3, 4, 5, 6]);
    const found = fit({ A, B, sigma: curved }, same, same);
    expect(found).toMatchObject({ fallback: 'constant', r2: 1 });
    const z = product(A, same[0]);
    const fitted = [0, 1].map((i) => found.M[2 * i] * z[0] + found.M[2 * i + 1] * z[1] + found.c[i]);
    expectNear(fitted, curved(z), 1e-12);
    expect([...found.M, ...found.plainA].every(Number.isFinite)).toBe(true);
  });

  it('counts the rounding of float32 as constant', () => {
    const noisy = draws(7, 40, 6).map((row) => row.map((v, i) => 5 + i + 1e-7 * v));
    expect(fit({ A, B, sigma: curved }, noisy, noisy).fallback).toBe('constant');
  });

  it('leaves out a direction in which z does not vary', () => {
    const twice = [A[0], A[0].map((a) => -2 * a)];
    const sigma: Sigma = (z) => [z[0] + z[1], z[1]];
    const found = fit({ A: twice, B, sigma }, draws(8, 60, 6), draws(9, 30, 6));
    expect(found.fallback).toBe('singular');
    // z is (1, −2) t: scaled to equal deviations, (1, 2) is the direction that it never takes.
    for (const i of [0, 1]) expect(found.M[2 * i] + 2 * found.M[2 * i + 1]).toBeCloseTo(0, 8);
    expect(found.r2).toBeCloseTo(1, 8);
  });

  it('is that of each coordinate, however small it is', () => {
    const small = [A[0], A[1].map((a) => 1e-5 * a)];
    const sigma: Sigma = (z) => [z[0] + 1e5 * z[1], 1e5 * z[1]];
    const found = fit({ A: small, B, sigma }, draws(8, 60, 6), draws(9, 30, 6));
    expect(found).not.toHaveProperty('fallback');
    expectNear(found.M, [1, 1e5, 0, 1e5], 1e-8);
  });

  it('says how little it explains of what B reads', () => {
    const even: Sigma = (z) => [z[0] ** 2, z[1]];
    const [x, heldOut] = [draws(10, 400, 6), draws(11, 200, 6)];
    const r2 = (rows: Matrix) => fit({ A, B: rows, sigma: even }, x, heldOut).r2;
    expect(r2([[1, 0]])).toBeLessThan(0.1);
    expect(r2([[0, 1]])).toBeCloseTo(1, 10);
    expect(r2([[0, 0]])).toBe(1);
  });
});

describe('constantDirections', () => {
  const near = (vectors: Float32Array[], x: Matrix) =>
    vectors.map((v) => Math.max(...x.map((row) => Math.abs(product([[...v]], row)[0] - 1))));

  it('finds vectors whose product with inputs is nearly 1', () => {
    const around = (seed: number) => draws(seed, 50, 8).map((row) => row.map((v, i) => 0.1 * v + (i + 1)));
    const vectors = constantDirections(flat(around(1)), 8);
    expect(near(vectors, around(2)).every((e) => e < 0.1)).toBe(true);
    expect(near(vectors, around(2)).some((e) => e < 0.02)).toBe(true);
  });

  it('is finite for equal inputs, for more features than inputs, and for zeros', () => {
    const equal = constantDirections(flat(Array.from({ length: 9 }, () => [1, 2, 3])), 3);
    expect(near(equal, [[1, 2, 3]]).at(-1)).toBeCloseTo(0.01 / 9.01, 6);
    const wide = draws(3, 4, 200);
    expect(near(constantDirections(flat(wide), 200), wide).at(-1)).toBeLessThan(0.02);
    for (const v of constantDirections(new Float32Array(12), 3)) expect([...v]).toEqual([0, 0, 0]);
  });
});
