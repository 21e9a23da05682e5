import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopKAccuracy } from '../../../../src/tasks/metrics/accuracy';
import { argmax } from '../../../../src/tasks/softmax';

function top(k: number, examples: readonly (readonly [label: number, scores: readonly number[]])[]): number {
  const counted = new TopKAccuracy(k);
  for (const [label, scores] of examples) counted.add(label, scores);
  return counted.accuracy();
}

describe('top-k accuracy', () => {
  const scores = [0.1, 0.9, 0.3, 0.8, 0.2, 0.7, 0.6];
  const order = [1, 3, 5, 6, 2, 4, 0];

  it('is the share of labels among the k largest scores', () => {
    order.forEach((label, place) => {
      for (const k of [1, 3, 5, 7]) expect(top(k, [[label, scores]])).toBe(place < k ? 1 : 0);
    });
    expect(
      top(
        5,
        order.map((label) => [label, scores]),
      ),
    ).toBeCloseTo(5 / 7, 12);
  });

  it('puts the higher index first at ties', () => {
    const equal = new Array<number>(7).fill(0);
    expect(order.map((label) => top(5, [[label, equal]]))).toEqual(
      order.map((label) => (label >= 2 ? 1 : 0)),
    );
    // 1 is in; of the three zeros, only the last is.
    expect([0, 1, 2, 3].map((label) => top(2, [[label, [0, 1, 0, 0]]]))).toEqual([0, 1, 0, 1]);
  });

  it('is 1 for at most k labels, and 0 of no examples', () => {
    for (const labels of [1, 2, 5]) {
      const few = scores.slice(0, labels);
      expect(top(5, few.map((_, label) => [label, few]))).toBe(1); // prettier-ignore
    }
    expect(top(5, [])).toBe(0);
  });

  it('rejects labels that do not exist', () => {
    for (const label of [-1, 7, 0.5, NaN]) expect(() => top(5, [[label, scores]])).toThrow(RangeError);
  });

  it('grows with k, contains exactly k labels, and for k = 1 without ties is the accuracy', () => {
    const example = fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 6, maxLength: 12 });
    fc.assert(
      fc.property(example, (values) => {
        for (let k = 1; k <= 6; k++) {
          const hits = values.map((_, label) => top(k, [[label, values]]));
          expect(hits.reduce((a, b) => a + b, 0)).toBe(k);
          hits.forEach((hit, label) => expect(top(k + 1, [[label, values]])).toBeGreaterThanOrEqual(hit));
        }
        const distinct = values.map((v, i) => v + i / 100);
        expect(top(1, [[argmax(distinct), distinct]])).toBe(1);
      }),
    );
  });
});
