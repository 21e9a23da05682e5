import { describe, expect, it } from 'vitest';
import { inverseTransposed, jointBasis } from '../../../src/adapters/methods/joint-basis';

/** Weights that PEFT was given too. */
const weights = (rows: number, size: number, count: number): Float32Array[] =>
  Array.from({ length: count }, (_, k) =>
    Float32Array.from(
      { length: rows * size },
      (_, i) => Math.sin(1 + 0.7 * i + 13 * k) + ((i * i) % 7) * 0.1 * (k + 1),
    ),
  );

const columnsOf = (V: Float32Array, size: number): number[][] =>
  Array.from({ length: size }, (_, k) => Array.from({ length: size }, (_, i) => V[i * size + k]));

const dot = (x: readonly number[], y: readonly number[]): number =>
  x.reduce((sum, v, i) => sum + v * y[i], 0);

/** The distance of a column from the nearest of others, whatever its sign. */
const distance = (x: readonly number[], others: readonly (readonly number[])[]): number =>
  Math.min(
    ...others.flatMap((y) => [1, -1].map((sign) => Math.max(...x.map((v, i) => Math.abs(v - sign * y[i]))))),
  );

/** Columns of `_projection_from_weights` in tuners/frod/model.py of PEFT, in float64. */
const PEFT: [name: string, rows: number, count: number, alpha: number, columns: number[][]][] = [
  [
    'three layers',
    5,
    3,
    0.001,
    [
      [-2.164202, -2.940445, -2.670898, -0.3109101],
      [0.1268994, 1.824981, 2.67603, 2.401615],
      [-1.574699, 0.09191873, -0.5119843, -1.024585],
      [1.602127, 2.453353, 1.396988, 1.795758],
    ],
  ],
  [
    'three layers with fewer rows than columns each',
    3,
    3,
    0.1,
    [
      [-1.745737, -1.422613, -1.683349, 0.2193226],
      [-0.6440233, -1.902467, -1.143748, -0.6514037],
      [1.468894, 2.691979, 1.926272, 1.048768],
      [-0.03497854, 0.2054817, 0.8245042, 0.5385156],
    ],
  ],
  [
    // The other two columns of V are any that complete an orthonormal basis.
    'two layers with fewer rows than columns together',
    1,
    2,
    0.001,
    [
      [-0.5137986, -0.5985657, -0.610387, -0.07181847],
      [0.4581069, -0.281325, -0.01053469, -0.8431389],
    ],
  ],
];

describe('the basis of FRoD', () => {
  it.each(PEFT)('is that of PEFT for %s', (_name, rows, count, alpha, columns) => {
    const own = columnsOf(
      jointBasis(
        weights(rows, 4, count).map((W) => () => W),
        4,
        alpha,
      ),
      4,
    );
    for (const column of columns) expect(distance(column, own)).toBeLessThan(2e-6);
  });

  it.each<[string, (W: Float32Array, at: number) => number]>([
    ['dead', () => 0],
    ['equal to another', (W, at) => W[at + 1]],
  ])('has an inverse where an input is %s in all layers', (_name, third) => {
    const size = 6;
    const changed = weights(8, size, 2).map((W) => W.map((v, at) => (at % size === 2 ? third(W, at) : v)));
    const V = jointBasis(
      changed.map((W) => () => W),
      size,
      0.001,
    );
    const inverse = inverseTransposed(V, size)!;
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++) {
        let sum = 0;
        for (let k = 0; k < size; k++) sum += V[i * size + k] * inverse[j * size + k];
        expect(sum).toBeCloseTo(i === j ? 1 : 0, 6);
      }
  });

  it('is orthonormal where the layers have fewer rows than columns', () => {
    const V = columnsOf(jointBasis([() => weights(2, 5, 1)[0]], 5, 0.001), 5);
    V.forEach((v, i) => V.forEach((w, j) => expect(dot(v, w)).toBeCloseTo(i === j ? 1 : 0, 6)));
  });

  it('without an inverse is reported', () => {
    expect(inverseTransposed(Float32Array.of(1, 2, 2, 4), 2)).toBeUndefined();
  });
});
