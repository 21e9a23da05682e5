import type { Graph } from '../model';
import type { TensorInfo } from '../tensor-infos';
import { UnknownSize } from './size-rule';
import { fixSizes } from './sizes';

/** Batches whose sizes reveal the axes that depend on the batch, as in a probe. */
const BATCH_SIZES = [2, 3, 5];

/**
 * The results of a probe for inputs of which only the batch is open, from their sizes alone: a probe would run the
 * model at its full size, five examples at once.
 *
 * @param inputs sizes of one example, by input
 * @returns undefined if the size of some tensor is known only once the model runs
 */
export const batchInfos = (
  graph: Graph,
  inputs: ReadonlyMap<string, readonly number[]>,
): Map<string, TensorInfo> | undefined =>
  infosOf(graph, (batch) => new Map(Array.from(inputs, ([name, dims]) => [name, [batch, ...dims]])));

const BATCH = 'batch';

function infosOf(
  graph: Graph,
  sizesOf: (batch: number) => ReadonlyMap<string, number[]>,
): Map<string, TensorInfo> | undefined {
  try {
    const [first, ...others] = BATCH_SIZES.map((batch) => fixSizes(graph, sizesOf(batch)).infos);
    const infos = new Map<string, TensorInfo>();
    for (const [name, { dtype, shape }] of first!)
      infos.set(name, {
        dtype,
        shape: shape.map((_, axis) =>
          axisOf([shape, ...others.map((o) => o.get(name)!.shape)].map((s) => s[axis]!)),
        ),
      });
    return infos;
  } catch (e) {
    if (e instanceof UnknownSize) return undefined;
    throw e;
  }
}

function axisOf(sizes: readonly number[]): number | string {
  if (sizes.every((size) => size === sizes[0])) return sizes[0]!;
  return sizes.every((size, i) => size === BATCH_SIZES[i]) ? BATCH : sizes.join('|');
}

/** Sizes of an axis at batches of 2, 3 and 5, as a probe names one that it cannot name otherwise. */
const SIZES = /^(\d+)\|(\d+)\|(\d+)$/;

/**
 * The factor of the batch in an axis, such as 16 for the 16 positions of each image; undefined if it is something else.
 */
export function batchMultiple(axis: number | string): number | undefined {
  if (axis === 'batch') return 1;
  const [a, b, c] = (SIZES.exec(String(axis)) ?? []).slice(1).map(Number);
  if (a === undefined || a % 2 !== 0 || 2 * b! !== 3 * a || 2 * c! !== 5 * a) return undefined;
  return a / 2;
}

/**
 * Sizes of a batch, in the rounds of a probe: all orders of these, so that each leading axis has a unique sequence of
 * three.
 */
export const BATCHES = orders(2, 3, 5);

/**
 * Sizes of the other axes: common ones, then small ones for short position tables, then long ones for strided
 * convolutions over audio. No sequence of three equals another, or a batch's, plus a constant.
 */
export const LENGTHS = [
  [...orders(7, 11, 13), ...orders(17, 19, 23)],
  orders(4, 6, 7),
  [...orders(809, 821, 1013), ...orders(1021, 1031, 1061)],
];

function orders(a: number, b: number, c: number): number[][] {
  return [
    [a, b, c],
    [b, c, a],
    [c, a, b],
    [a, c, b],
    [c, b, a],
    [b, a, c],
  ];
}
