import { permutation, Stream } from '../base/random';
import { type Dataset, sizesOf } from './dataset';

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

/** Stable, and in linear time over many examples: their sizes are few. */
export function longestFirst(sizes: ArrayLike<number>, indices: Iterable<number>): number[] {
  const bySize = new Map<number, number[]>();
  for (const i of indices) {
    const same = bySize.get(sizes[i]!);
    if (same) same.push(i);
    else bySize.set(sizes[i]!, [i]);
  }
  return [...bySize].sort(([a], [b]) => b - a).flatMap(([, same]) => same);
}

/**
 * The order of transformers' LengthGroupedSampler, with the batches shuffled: sorted only within mega-batches, so that
 * epochs differ.
 */
function groupedByLength(
  sizes: ArrayLike<number>,
  shuffled: readonly number[],
  options: OrderOptions,
): number[][] {
  const { seed, epoch, batchSize } = options;
  const multiple = Math.max(1, Math.min(MEGA_BATCH, Math.floor(shuffled.length / (batchSize * 4))));
  const batches = chunks(shuffled, multiple * batchSize).flatMap((mega) =>
    chunks(longestFirst(sizes, mega), batchSize),
  );
  return permutation(batches.length, seed, Stream.batches, epoch).map((i) => batches[i]!);
}

/** Example indices of each micro-batch of an epoch: every example once, the same for the same seed and epoch. */
export function epochOrder(dataset: Dataset, options: OrderOptions): number[][] {
  const { seed, epoch, batchSize } = options;
  const shuffled = permutation(dataset.examples.length, seed, Stream.order, epoch);
  return options.groupByLength
    ? groupedByLength(sizesOf(dataset), shuffled, options)
    : chunks(shuffled, batchSize);
}

/** Batches for evaluation: longest first, so that there is little padding and the largest batch comes at once. */
export const evaluationOrder = (dataset: Dataset, batchSize: number): number[][] =>
  chunks(allLongestFirst(dataset), batchSize);

/** The indices of the first ones. */
export const firstExamples = ({ examples }: Dataset, count: number): number[] =>
  Array.from({ length: Math.min(count, examples.length) }, (_, i) => i);

/** The longest examples, of equal ones the first. */
export const longestExamples = (dataset: Dataset, count: number): number[] =>
  allLongestFirst(dataset).slice(0, count);

function allLongestFirst(dataset: Dataset): number[] {
  const sizes = sizesOf(dataset);
  return longestFirst(
    sizes,
    Array.from({ length: sizes.length }, (_, i) => i),
  );
}
