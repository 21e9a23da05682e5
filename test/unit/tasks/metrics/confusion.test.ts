import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfusionMatrix } from '../../../../src/tasks/metrics/confusion';

function matrixOf(rows: number[][]): ConfusionMatrix {
  const matrix = new ConfusionMatrix(rows.length);
  rows.forEach((row, actual) =>
    row.forEach((n, predicted) => {
      for (let i = 0; i < n; i++) matrix.add(actual, predicted);
    }),
  );
  return matrix;
}

const metrics = (rows: number[][]) => {
  const m = matrixOf(rows);
  return [m.accuracy(), m.f1(), m.matthews()];
};

describe('classification metrics', () => {
  it('name the labels that are predicted but never true, and macro F1 without them', () => {
    const names = ['a', 'b', 'c', 'd'];
    const rows = (wrong: number) => [
      [8, 1, 0, 0],
      [1, 9 - wrong, wrong, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ];
    expect(matrixOf(rows(0)).absentLabels(names)).toBeUndefined();
    const matrix = matrixOf(rows(1));
    const without = (16 / 18 + 16 / 19) / 2;
    expect(matrix.macroF1()).toBeCloseTo((2 / 3) * without, 12);
    const absent = matrix.absentLabels(names)!;
    expect(absent.labels).toEqual([{ label: 'c', predicted: 1 }]);
    expect(absent.macroF1).toBeCloseTo(without, 12);
  });

  it('are the F1 of label 1 and the textbook Matthews correlation for two labels', () => {
    const [tn, fp, fn, tp] = [50, 10, 5, 35];
    const [accuracy, f1, matthews] = metrics([
      [tn, fp],
      [fn, tp],
    ]);
    expect(accuracy).toBeCloseTo(0.85, 12);
    expect(f1).toBeCloseTo((2 * tp) / (2 * tp + fp + fn), 12);
    expect(matthews).toBeCloseTo(
      (tp * tn - fp * fn) / Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)),
      12,
    );
  });

  it('are the macro F1 and the generalized Matthews correlation for three labels', () => {
    // Computed by hand; rows are the true labels.
    const [accuracy, f1, matthews] = metrics([
      [2, 0, 0],
      [1, 1, 1],
      [0, 1, 3],
    ]);
    expect(accuracy).toBeCloseTo(6 / 9, 12);
    expect(f1).toBeCloseTo((4 / 5 + 2 / 5 + 6 / 8) / 3, 12);
    expect(matthews).toBeCloseTo((9 * 6 - 28) / Math.sqrt((81 - 29) * (81 - 29)), 12);
  });

  it('are the mean of F1 over the labels, or weighted by how often each is true', () => {
    const matrix = matrixOf([
      [2, 0, 0],
      [1, 1, 1],
      [0, 1, 3],
    ]);
    expect(matrix.macroF1()).toBe(matrix.f1());
    // F1 of each label: 4/5, 2/5, 6/8; true 2, 3 and 4 times.
    expect(matrix.weightedF1()).toBeCloseTo((2 * (4 / 5) + 3 * (2 / 5) + 4 * (6 / 8)) / 9, 12);
    const two = matrixOf([[50, 10], [5, 35]]); // prettier-ignore
    expect(two.macroF1()).toBeCloseTo((100 / 115 + 70 / 85) / 2, 12);
    expect(two.weightedF1()).toBeCloseTo((60 * (100 / 115) + 40 * (70 / 85)) / 100, 12);
    // A label that is predicted but never true: in the macro mean it is a zero, weighted it is nothing.
    const never = matrixOf([[3, 0, 1], [0, 4, 0], [0, 0, 0]]); // prettier-ignore
    expect(never.macroF1()).toBeCloseTo((6 / 7 + 1 + 0) / 3, 12);
    expect(never.weightedF1()).toBeCloseTo((4 * (6 / 7) + 4 * 1) / 8, 12);
    const none = new ConfusionMatrix(3);
    expect([none.macroF1(), none.weightedF1()]).toEqual([0, 0]);
  });

  it('are the same F1 with and without weights if all labels are true equally often', () => {
    const row = fc.tuple(fc.nat(9), fc.nat(9)).map(([a, b]) => [a, b, 18 - a - b]);
    fc.assert(
      fc.property(fc.tuple(row, row, row), (rows) => {
        const matrix = matrixOf(rows);
        expect(matrix.weightedF1()).toBeCloseTo(matrix.macroF1(), 12);
      }),
    );
  });

  it('exclude a label that neither occurs nor is predicted from the macro mean', () => {
    expect(
      metrics([
        [3, 0, 0],
        [0, 2, 0],
        [0, 0, 0],
      ]),
    ).toEqual([1, 1, expect.closeTo(1, 12)]);
  });

  it('are 0 where undefined', () => {
    expect(metrics([[0, 0], [0, 0]])).toEqual([0, 0, 0]); // prettier-ignore
    expect(metrics([[7, 0], [0, 0]])).toEqual([1, 0, 0]); // prettier-ignore
    expect(metrics([[5, 0], [5, 0]])).toEqual([0.5, 0, 0]); // prettier-ignore
    expect(metrics([[4]])).toEqual([1, 1, 0]);
  });

  it('give a Matthews correlation of 1 if always right and −1 if always wrong', () => {
    expect(matrixOf([[6, 0], [0, 3]]).matthews()).toBeCloseTo(1, 12); // prettier-ignore
    expect(matrixOf([[0, 6], [3, 0]]).matthews()).toBeCloseTo(-1, 12); // prettier-ignore
  });

  it('reject labels that do not exist', () => {
    const matrix = new ConfusionMatrix(2);
    for (const [a, p] of [[2, 0], [0, -1], [0, NaN]]) expect(() => matrix.add(a, p)).toThrow(RangeError); // prettier-ignore
    expect(matrix.examples).toBe(0);
  });

  it('do not depend on the order of three or more labels and stay in range', () => {
    const pairs = fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(pairs, (list) => {
        const a = new ConfusionMatrix(4);
        const b = new ConfusionMatrix(4);
        for (const [t, p] of list) {
          a.add(t, p);
          b.add((t + 1) % 4, (p + 1) % 4);
        }
        expect(b.f1()).toBeCloseTo(a.f1(), 12);
        expect(b.matthews()).toBeCloseTo(a.matthews(), 12);
        expect(a.accuracy()).toBe(list.filter(([t, p]) => t === p).length / list.length);
        expect(Math.abs(a.matthews())).toBeLessThanOrEqual(1 + 1e-12);
        expect(a.f1()).toBeLessThanOrEqual(1);
      }),
    );
  });
});
