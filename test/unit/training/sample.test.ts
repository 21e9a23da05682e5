import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../../src/data/dataset';
import type { TrainingSpec } from '../../../src/experiment/experiment';
import { evaluatedTokens, paddedTokens, sampleSteps, subset, sum } from '../../../src/training/loop/sample';

const lengths = Array.from({ length: 90 }, (_, i) => 1 + ((i * 37) % 90));
const dataset: Dataset = {
  examples: lengths.map((size, row) => ({ size, row })),
  truncatedCount: 0,
  skipped: [],
};
const training = (over: Partial<TrainingSpec>) =>
  ({ seed: 1, batchSize: 3, gradientAccumulation: 2, groupByLength: true, ...over }) as TrainingSpec;

describe('the sampled steps of an epoch', () => {
  it("are whole steps, sorted by length, with a mean close to the epoch's", () => {
    const { steps, epochTokens } = sampleSteps(dataset, training({}), 5);
    expect(steps.map((s) => s.map((b) => b.length))).toEqual(Array.from({ length: 5 }, () => [3, 3]));
    const tokens = steps.map((s) => paddedTokens(dataset, s));
    expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
    const mean = epochTokens / 15;
    expect(Math.abs(sum(tokens) / 5 - mean) / mean).toBeLessThan(0.15);
  });

  it('cover the epoch if all are taken, and are never more', () => {
    const all = sampleSteps(dataset, training({ groupByLength: false }), 100);
    expect(all.steps).toHaveLength(15);
    expect(all.steps.flat(2).sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
    expect(sum(all.steps.map((s) => paddedTokens(dataset, s)))).toBe(all.epochTokens);
  });

  it('come with the longest batch', () => {
    const { longest } = sampleSteps(dataset, training({}), 3);
    expect(longest.map((i) => lengths[i])).toEqual([90, 89, 88]);
  });

  it('count the padded tokens of evaluations, in which batches are sorted by length', () => {
    const sorted = [...lengths].sort((a, b) => b - a);
    const padded = sorted.reduce((all, _, i) => all + sorted[i - (i % 4)]!, 0);
    expect(evaluatedTokens([dataset, dataset], 4)).toBe(2 * padded);
  });

  it('keep their texts in a separate data set', () => {
    const small = subset(dataset, [[[5, 7], [80]], [[7, 2]]]);
    expect(small.dataset.examples.map((e) => e.row)).toEqual([5, 7, 80, 2]);
    expect(small.groups).toEqual([[[0, 1], [2]], [[1, 3]]]); // prettier-ignore
  });
});
