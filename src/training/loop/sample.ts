import { sizeOf, type Dataset } from '../../data/dataset';
import { epochOrder, evaluationOrder, longestExamples } from '../../data/row-order';
import type { TrainingSpec } from '../../experiment/experiment';

/** Example indices of each micro-batch of an optimizer step. */
export type Step = number[][];

export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The quantity with which a step's time scales: computed positions, padding included. */
export const paddedTokens = (dataset: Dataset, batches: Step): number =>
  sum(batches.map((b) => b.length * Math.max(...b.map((i) => sizeOf(dataset, i)))));

/** The padded tokens of one evaluation of each data set. */
export const evaluatedTokens = (datasets: readonly Dataset[], batchSize: number): number =>
  sum(datasets.map((d) => paddedTokens(d, evaluationOrder(d, batchSize))));

export interface Sample {
  /** Steps of the first epoch, from its shortest to its longest. */
  steps: Step[];
  /** A micro-batch of the longest texts: no step takes more memory. */
  longest: number[];
  /** Padded tokens of the whole epoch. */
  epochTokens: number;
}

/** Steps that represent an epoch: the middle one of each of `count` equal parts, ordered by size. */
export function sampleSteps(dataset: Dataset, training: TrainingSpec, count: number): Sample {
  const order = epochOrder(dataset, { ...training, epoch: 0 });
  const size = training.gradientAccumulation;
  const steps = Array.from({ length: Math.ceil(order.length / size) }, (_, i) =>
    order.slice(i * size, (i + 1) * size),
  )
    .map((step) => ({ step, tokens: paddedTokens(dataset, step) }))
    .sort((a, b) => a.tokens - b.tokens);
  const taken = Math.min(count, steps.length);
  const longest = longestExamples(dataset, training.batchSize);
  return {
    steps: Array.from(
      { length: taken },
      (_, i) => steps[Math.floor(((i + 0.5) / taken) * steps.length)].step,
    ),
    longest,
    epochTokens: sum(steps.map((s) => s.tokens)),
  };
}

/** The examples of some batches as a separate data set, and the batches in it; an example may be in several. */
export function subset(dataset: Dataset, groups: readonly Step[]): { dataset: Dataset; groups: Step[] } {
  const indices = [...new Set(groups.flat(2))];
  const place = new Map(indices.map((index, i) => [index, i]));
  return {
    dataset: { ...dataset, examples: indices.map((i) => dataset.examples.at(i)!) },
    groups: groups.map((step) => step.map((batch) => batch.map((i) => place.get(i)!))),
  };
}
