import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { averagePrecision, MultiLabelScores } from '../../../../src/tasks/metrics/multi-label';
import { ConfusionMatrix } from '../../../../src/tasks/metrics/confusion';

type Example = readonly [truth: readonly number[], logits: readonly number[]];

function scoresOf(labels: number, examples: readonly Example[]) {
  const scores = new MultiLabelScores(labels);
  for (const [truth, logits] of examples) scores.add(truth, logits);
  return scores;
}
const metrics = (labels: number, examples: readonly Example[]) => {
  const s = scoresOf(labels, examples);
  return [s.microF1(), s.macroF1(), s.meanAveragePrecision()];
};
/** "+-+" of an example; the scores are the places of the letters. */
const positives = (signs: string): boolean[] => [...signs].map((sign) => sign === '+');

/** Few different logits, so that many are equal. */
const examples = (labels: number) =>
  fc.array(
    fc.tuple(
      fc.array(fc.integer({ min: 0, max: 1 }), { minLength: labels, maxLength: labels }),
      fc.array(fc.integer({ min: -3, max: 3 }), { minLength: labels, maxLength: labels }),
    ),
    { minLength: 1, maxLength: 30 },
  );

describe('average precision', () => {
  it('is the mean precision at each positive example if all scores differ', () => {
    expect(averagePrecision(positives('+-+-'), [4, 3, 2, 1])).toBeCloseTo((1 + 2 / 3) / 2, 12);
    expect(averagePrecision(positives('+-+-'), [1, 2, 3, 4])).toBeCloseTo((1 / 2 + 2 / 4) / 2, 12);
    expect(averagePrecision(positives('++--'), [4, 3, 2, 1])).toBe(1);
    expect(averagePrecision(positives('--+'), [3, 2, 1])).toBeCloseTo(1 / 3, 12);
  });

  it('finds equal scores together', () => {
    // First threshold: one of two; second: two more examples, one of them positive.
    expect(averagePrecision(positives('+--+'), [2, 2, 1, 1])).toBeCloseTo((1 / 2) * (1 / 2 + 2 / 4), 12);
    expect(averagePrecision(positives('-+-+'), [0, 0, 0, 0])).toBe(1 / 2);
    expect(averagePrecision(positives('+-'), [0, -0])).toBe(1 / 2);
  });

  it('is 0 without a positive example', () => {
    expect(averagePrecision(positives('---'), [1, 2, 3])).toBe(0);
    expect(averagePrecision([], [])).toBe(0);
    expect(averagePrecision(positives('+'), [-5])).toBe(1);
  });

  it('depends only on the order of the scores', () => {
    fc.assert(
      fc.property(examples(1), (list) => {
        const truth = list.map(([[t]]) => t === 1);
        const scores = list.map(([, [s]]) => s);
        const ap = averagePrecision(truth, scores);
        expect(averagePrecision(truth, scores.map(Math.exp))).toBe(ap);
        expect(averagePrecision([...truth].reverse(), [...scores].reverse())).toBeCloseTo(ap, 12);
        expect(ap).toBeGreaterThanOrEqual(0);
        expect(ap).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('the metrics of several labels for each example', () => {
  it('match a computation by hand', () => {
    const [micro, macro, map] = metrics(3, [
      [[1, 0, 1], [2, -1, -1]],
      [[0, 1, 0], [1, 3, -2]],
      [[1, 1, 0], [-1, 1, -3]],
      [[0, 0, 1], [-2, 2, 1]],
    ]); // prettier-ignore
    // Label 0: right 1, true 2, predicted 2. Label 1: 2, 2, 3. Label 2: 1, 2, 1.
    expect(micro).toBeCloseTo((2 * 4) / (6 + 6), 12);
    expect(macro).toBeCloseTo((2 / 4 + 4 / 5 + 2 / 3) / 3, 12);
    // Label 0: + - + -. Label 1: + - + -. Label 2: + + - -.
    expect(map).toBeCloseTo((5 / 6 + 5 / 6 + 1) / 3, 12);
  });

  it('predict a label above a logit of 0', () => {
    expect(metrics(1, [[[1], [0]]])).toEqual([0, 0, 1]);
    expect(metrics(1, [[[1], [Number.MIN_VALUE]]])).toEqual([1, 1, 1]);
  });

  it('count a label that no example has as 0 in the means over labels', () => {
    // prettier-ignore
    expect(metrics(2, [[[1, 0], [1, -1]], [[0, 0], [-1, -1]]])).toEqual([1, 1 / 2, 1 / 2]);
    // prettier-ignore
    expect(metrics(2, [[[1, 0], [1, 1]], [[0, 0], [-1, -1]]])).toEqual([2 / 3, 1 / 2, 1 / 2]);
  });

  it('are 0 of nothing', () => {
    expect(metrics(2, [])).toEqual([0, 0, 0]);
    expect(metrics(2, [[[0, 0], [-1, -1]]])).toEqual([0, 0, 0]); // prettier-ignore
    expect(metrics(2, [[[0, 0], [1, 1]]])).toEqual([0, 0, 0]); // prettier-ignore
    expect(metrics(2, [[[1, 1], [1, 1]]])).toEqual([1, 1, 1]); // prettier-ignore
  });

  it('reject examples with another number of labels', () => {
    const scores = new MultiLabelScores(2);
    expect(() => scores.add([1], [1, 2])).toThrow(RangeError);
    expect(() => scores.add([1, 0], [1, 2, 3])).toThrow(RangeError);
    expect(scores.examples).toBe(0);
  });

  it('do not depend on the order of examples or labels', () => {
    fc.assert(
      fc.property(examples(3), (list) => {
        const here = metrics(3, list);
        const there = metrics(
          3,
          [...list].reverse().map(([t, l]) => [[...t].reverse(), [...l].reverse()] as const),
        );
        here.forEach((value, i) => {
          expect(there[i]).toBeCloseTo(value, 12);
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1);
        });
      }),
    );
  });

  it('with one label are the F1 of two classes', () => {
    fc.assert(
      fc.property(examples(1), (list) => {
        const matrix = new ConfusionMatrix(2);
        for (const [[truth], [logit]] of list) matrix.add(truth, logit > 0 ? 1 : 0);
        const [micro, macro] = metrics(1, list);
        expect(micro).toBe(macro);
        expect(micro).toBeCloseTo(matrix.f1(), 12);
      }),
    );
  });
});
