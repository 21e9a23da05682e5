import { describe, expect, it } from 'vitest';
import {
  disjointMean,
  dropRandomly,
  keepLargest,
  weightedSum,
} from '../../../../src/adapters/combine/sparsify';
import { Stream, uniform } from '../../../../src/base/random';

const of = (...values: number[]) => Float32Array.from(values);

describe('the largest magnitudes', () => {
  it.each<[number, number[]]>([
    [1, [3, -1, 2, -4, 0.5]],
    [0.6, [3, 0, 2, -4, 0]],
    // Rounded down.
    [0.59, [3, 0, 0, -4, 0]],
    [0.1, [0, 0, 0, 0, 0]],
  ])('stay at a density of %f', (density, kept) => {
    expect([...keepLargest(of(3, -1, 2, -4, 0.5), density)]).toEqual(kept);
  });

  it('are as many as asked for where values are equal', () => {
    expect([...keepLargest(of(1, -1, 1, 1), 0.5)]).toEqual([1, -1, 0, 0]);
    expect([...keepLargest(of(0, 0, 0, 2), 0.5)]).toEqual([0, 0, 0, 2]);
  });
});

describe('random values', () => {
  it('are dropped, and the others make up for them', () => {
    const values = new Float32Array(20_000).fill(3);
    const kept = dropRandomly(values, 0.25, (i) => uniform(1, Stream.combination, i));
    expect(new Set(kept)).toEqual(new Set([0, 12]));
    const mean = kept.reduce((sum, v) => sum + v, 0) / kept.length;
    // Four standard errors.
    expect(Math.abs(mean - 3)).toBeLessThan(4 * Math.sqrt((27 * 20_000) / 20_000 ** 2));
  });

  it('all stay at a density of 1', () => {
    expect([...dropRandomly(of(1, 2), 1, () => 0.999)]).toEqual([1, 2]);
  });
});

describe('values of several adapters', () => {
  const tensors = [of(1, -2, 0, 1), of(2, 1, 0, -1), of(-4, 2, 0, 0)];

  it('are summed with their weights', () => {
    expect([...weightedSum(tensors, [1, 0.5, -1])]).toEqual([6, -3.5, 0, 0.5]);
  });

  it('are averaged over those with the sign of the sum, which a tie gives to the positive', () => {
    // Sums: -1, 1, 0, 0.
    expect([...disjointMean(tensors, [1, 1, 1], 'total')]).toEqual([-4, 1.5, 0, 1]);
  });

  it('are averaged over those with the sign of most, whatever their size', () => {
    expect([...disjointMean(tensors, [1, 1, 1], 'frequency')]).toEqual([1.5, 1.5, 0, 1]);
  });

  it('are elected without their weights', () => {
    expect([...disjointMean(tensors, [1, 1, -2], 'total')]).toEqual([8, -1.5, 0, 1]);
  });
});
