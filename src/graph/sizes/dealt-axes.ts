import type { Graph, Node } from '../model';

/**
 * The sizes of the parts into which a Split cuts an axis, where only data decide them: how many rows each expert gets.
 *
 * @param sizes the name of the tensor that has them
 * @returns one for each part
 */
export type Deal = (sizes: string, total: number, parts: number) => number[];

/**
 * Parts that differ by one at most. A count of operations is exact with them, wherever a row costs the same in each part.
 */
export const evenly: Deal = (_, total, parts) =>
  Array.from(
    { length: parts },
    (_, i) => Math.floor(((i + 1) * total) / parts) - Math.floor((i * total) / parts),
  );

/** True for a Split whose parts are computed: by data, or by shapes alone. */
export const mayDeal = ({ initializers }: Graph, { opType, inputs: [, sizes = ''] }: Node): boolean =>
  opType === 'Split' && sizes !== '' && !initializers.has(sizes);

/** True if a graph has such a Split. */
export const mayDealOut = (graph: Graph): boolean => graph.nodes.some((n) => mayDeal(graph, n));

/** Above any real size. */
const FIRST = 1_000_003;

/**
 * A name for each axis whose size data decide. Axes with the same name have the same size, whatever the data.
 *
 * The sizes are computed with two made-up deals. In each, no two parts are equal, and the second has the numbers of the first in
 * another order, so that parts that are put together again have the size that they had before. An axis with other sizes in the
 * second depends on the deal, and its two sizes are its name.
 *
 * @param sizesWith sizes of all tensors with a deal; throws UnknownSize
 * @returns undefined if there is no such axis
 */
export function dealtAxes(
  graph: Graph,
  sizesWith: (deal: Deal) => ReadonlyMap<string, { shape: readonly number[] }>,
): ((tensor: string, axis: number) => string | undefined) | undefined {
  if (!mayDealOut(graph)) return undefined;
  const firsts = new Map<string, number>();
  let next = FIRST;
  const turned =
    (by: number): Deal =>
    (sizes, _, parts) => {
      if (!firsts.has(sizes)) {
        firsts.set(sizes, next);
        next += parts;
      }
      return Array.from({ length: parts }, (_, i) => firsts.get(sizes)! + ((i + by) % parts));
    };
  const [one, other] = [0, 1].map((by) => sizesWith(turned(by)));
  if (firsts.size === 0) return undefined;
  return (tensor, axis) => {
    const [a, b] = [one, other].map((sizes) => sizes.get(tensor)?.shape[axis]);
    return a === b ? undefined : `dealt ${a}|${b}`;
  };
}
