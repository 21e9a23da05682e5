import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Metrics } from '../../../src/experiment/metrics';
import { isOneF1, shownMetrics } from '../../../src/experiment/shown-metrics';
import { ConfusionMatrix } from '../../../src/tasks/metrics/confusion';

/** The metrics of an evaluation with these counts, by true label and predicted label. */
function evaluation(counts: readonly (readonly number[])[]): Metrics {
  const matrix = new ConfusionMatrix(counts.length);
  counts.forEach((row, k) =>
    row.forEach((n, j) => {
      for (let i = 0; i < n; i++) matrix.add(k, j);
    }),
  );
  return { loss: 1, accuracy: matrix.accuracy(), f1: matrix.f1(), macroF1: matrix.macroF1() };
}

const THREE = evaluation([
  [5, 1, 0],
  [2, 3, 1],
  [0, 4, 9],
]);
const TWO = evaluation([
  [5, 1],
  [2, 3],
]);
/** As many of both labels are right, so that F1 of both is the same. */
const EVEN = evaluation([
  [5, 1],
  [3, 5],
]);

describe('the columns of metrics', () => {
  it('have F1 of more than two labels once: the one that was trained for', () => {
    expect(THREE.f1).toBe(THREE.macroF1);
    expect(shownMetrics(undefined, THREE)).toEqual(['loss', 'accuracy', 'macroF1']);
    expect(shownMetrics('macroF1', THREE)).toEqual(['loss', 'accuracy', 'macroF1']);
    expect(shownMetrics('f1', THREE)).toEqual(['loss', 'accuracy', 'f1']);
  });

  it('have both for two labels, also where they happen to be equal', () => {
    expect(TWO.f1).not.toBe(TWO.macroF1);
    expect(EVEN.f1).toBe(EVEN.macroF1);
    for (const own of [[TWO], [EVEN], [TWO, THREE], [THREE, TWO]])
      expect(shownMetrics('f1', ...own)).toEqual(['loss', 'accuracy', 'f1', 'macroF1']);
    expect(shownMetrics('f1')).toEqual([]);
    expect(shownMetrics('f1', { loss: 1 }, { loss: 2 })).toEqual(['loss']);
  });

  it('never take two labels for more, whatever was predicted', () => {
    const n = fc.nat(40);
    const two = fc.tuple(fc.tuple(n, n), fc.tuple(n, n));
    fc.assert(
      fc.property(fc.array(two, { minLength: 1, maxLength: 3 }), (all) => !isOneF1(all.map(evaluation))),
    );
  });

  it('take three labels for more unless all of it equals the accuracy', () => {
    const n = fc.nat(9);
    fc.assert(
      fc.property(fc.tuple(...[0, 1, 2].map(() => fc.tuple(n, n, n))), (counts) => {
        const found = evaluation(counts);
        fc.pre(Math.abs(found.f1! - found.accuracy!) > 1e-6);
        return isOneF1([found]);
      }),
    );
  });
});
