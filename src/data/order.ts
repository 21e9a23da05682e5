import { permutation, Stream } from '../base/random';
import type { Dataset, Example } from './dataset';

export interface OrderOptions {
  seed: number;
  epoch: number;
  batchSize: number;
  /** Puts texts of like length together, so that less of a batch is padding. */
  groupByLength: boolean;
}

const MEGA_BATCH = 50;

const chunks = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));

const longestFirst = (dataset: Dataset<Example>, indices: readonly number[]): number[] =>
  indices.toSorted((a, b) => dataset.examples[b]!.size - dataset.examples[a]!.size);

/** As transformers' LengthGroupedSampler, with the batches shuffled: sorted only within mega-batches, so that epochs differ. */
function groupedByLength(
  dataset: Dataset<Example>,
  shuffled: readonly number[],
  options: OrderOptions,
): number[][] {
  const { seed, epoch, batchSize } = options;
  const multiple = Math.max(1, Math.min(MEGA_BATCH, Math.floor(shuffled.length / (batchSize * 4))));
  const batches = chunks(shuffled, multiple * batchSize).flatMap((mega) =>
    chunks(longestFirst(dataset, mega), batchSize),
  );
  return permutation(batches.length, seed, Stream.batches, epoch).map((i) => batches[i]!);
}

/** Example indices of each micro-batch of an epoch: every example once, the same for the same seed and epoch. */
export function epochOrder(dataset: Dataset<Example>, options: OrderOptions): number[][] {
  const { seed, epoch, batchSize } = options;
  const shuffled = permutation(dataset.examples.length, seed, Stream.order, epoch);
  return options.groupByLength ? groupedByLength(dataset, shuffled, options) : chunks(shuffled, batchSize);
}

/** Batches for evaluation: longest first, so that there is little padding and the largest batch comes at once. */
export const evaluationOrder = (dataset: Dataset<Example>, batchSize: number): number[][] =>
  chunks(longestFirst(dataset, [...dataset.examples.keys()]), batchSize);
