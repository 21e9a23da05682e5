import { attrInt } from '../attributes';
import { DType } from '../dtype';
import type { Graph, Node } from '../model';
import { isNBits } from '../quantized/nbits';
import { tensorNumbers } from '../values';

/**
 * A layer that reads its features in another order: GPTQ with act_order (desc_act) forms blocks of features that are not
 * neighbours, and the weight is stored with those of a block beside each other.
 */
export interface SortedInput {
  /** The features in the order of the module, which adapters read. */
  input: string;
  /** The constant with the place of each of the sorted features. */
  order: string;
}

/** @param makers the nodes of the graph by their outputs */
export function sortedInput(
  { initializers }: Graph,
  makers: ReadonlyMap<string, Node>,
  node: Node,
): SortedInput | undefined {
  const maker = isNBits(node) ? makers.get(node.inputs[0]) : undefined;
  if (!maker || !isSorting(maker)) return undefined;
  const [input, order] = maker.inputs;
  const places = initializers.get(order);
  const isWhole = places?.dtype === DType.int64 && places.dims.join() === `${attrInt(node, 'K', 0)}`;
  return isWhole && !initializers.has(input) ? { input, order } : undefined;
}

/** True if a node may sort features: it gathers along the last axis. */
export const isSorting = (node: Node): boolean =>
  node.opType === 'Gather' && node.domain === '' && attrInt(node, 'axis', 0) === -1;

/** The places as numbers. */
export const placesOf = ({ initializers }: Graph, { order }: Pick<SortedInput, 'order'>): number[] =>
  tensorNumbers(initializers.get(order)!);

/** Rows of sorted features in the order of the module. */
export function unsorted(rows: Float32Array, places: readonly number[]): Float32Array {
  const width = places.length;
  const out = new Float32Array(rows.length);
  for (let from = 0; from < rows.length; from += width)
    for (let i = 0; i < width; i++) out[from + places[i]] = rows[from + i];
  return out;
}

/** Rows of features with those of a block beside each other. */
export function sorted(rows: Float32Array, places: readonly number[]): Float32Array {
  const width = places.length;
  const out = new Float32Array(rows.length);
  for (let from = 0; from < rows.length; from += width)
    for (let i = 0; i < width; i++) out[from + i] = rows[from + places[i]];
  return out;
}
