import { DType } from '../../graph/dtype';
import { attention, type AttentionShape, type Projections, splitHeads } from './attention';
import { linear } from './layers';
import type { Network } from './network';
import { counted } from './text';

/** Embeddings of distances between tokens, which all layers of a DeBERTa use. */
export interface Distances {
  /** (2 · span, hidden) */
  table: string;
  span: number;
  /** The row of the table for each query and key: int64 (1, 1, sequence, sequence). */
  rows: string;
  /** `c2p`: the product of a query and the distance of a key; `p2c`: the product of a key and that distance. */
  kinds: readonly string[];
}

/** A linear layer on the embeddings of distances. */
export interface DistanceProjection {
  module: string;
  bias: boolean;
}

/** The layers of an attention that project distances as if they were keys, for `c2p`, and queries, for `p2c`. */
export interface DistanceProjections {
  key: DistanceProjection;
  query: DistanceProjection;
}

/**
 * DeBERTa's disentangled attention (arXiv 2006.03654, equation 4): tokens attend by their content, and by the product of
 * the one's content and the distance of the other.
 *
 * @param distances undefined if tokens attend by their content alone
 * @param scale of all scores
 * @returns (tokens, heads · width)
 */
export function disentangledAttention(
  net: Network,
  module: string,
  projections: Projections,
  shape: AttentionShape,
  distances: (Distances & DistanceProjections) | undefined,
  scale: number,
): string {
  const added = distances ? distanceScores(net, module, projections, shape, distances, scale) : [];
  const bias = added.reduce<string | undefined>(
    (sum, one) => (sum === undefined ? one : net.op(module, 'Add', [one, sum])),
    undefined,
  );
  return attention(net, module, projections, { ...shape, ...(bias && { bias }) }, { scale });
}

/** The values that distances add to the scores of a layer: (batch, heads, sequence, sequence). */
function distanceScores(
  net: Network,
  at: string,
  { query, key }: Projections,
  shape: AttentionShape,
  { table, span, rows, kinds, key: ofKeys, query: ofQueries }: Distances & DistanceProjections,
  scale: number,
): string[] {
  const { heads, width } = shape;
  const hidden = heads * width;
  const scores = (of: string, { module, bias }: DistanceProjection) => {
    const made = linear(net, module, table, { from: hidden, to: hidden, bias });
    const split = net.op(at, 'Reshape', [made, net.g.ints([1, 2 * span, heads, width])]);
    const turned = net.op(at, 'Transpose', [split], { perm: [0, 2, 3, 1] });
    const all = net.op(at, 'MatMul', [splitHeads(net, at, of, heads, shape), turned]);
    return net.op(at, 'Mul', [all, net.float(scale)]);
  };
  const picked = (all: string, index: string) => {
    const part = (from: number, to: number) =>
      net.op(at, 'Slice', [net.op(at, 'Shape', [all]), net.g.ints([from]), net.g.ints([to])]);
    const size = net.op(at, 'Concat', [part(0, 3), part(2, 3)], { axis: 0 });
    return net.op(at, 'GatherElements', [all, net.op(at, 'Expand', [index, size])], { axis: 3 });
  };
  const flipped = (x: string) => net.op(at, 'Transpose', [x], { perm: [0, 1, 3, 2] });
  const found: string[] = [];
  if (kinds.includes('c2p')) found.push(picked(scores(query, ofKeys), rows));
  if (kinds.includes('p2c')) found.push(flipped(picked(scores(key, ofQueries), flipped(rows))));
  return found;
}

/** The most tokens of a text: the scores of a longer one would not fit into any memory. */
const LONGEST = 2 ** 16;

/**
 * The row of a table of distances for each query and key: int64 (1, 1, sequence, sequence). Distances that are too long
 * for the table have its first or last row.
 *
 * @param rows a vector tensor: (batch, sequence)
 * @param span half of the table's rows
 * @param bucket of a distance, which grows with it
 */
export function tableRows(
  net: Network,
  rows: string,
  span: number,
  bucket: (distance: number) => number = (distance) => distance,
): string {
  // Further away than this, nothing changes any more. With two or three buckets, all but neighbors are equally far.
  const most = bucket(LONGEST) === bucket(1) ? 1 : LONGEST;
  let furthest = 1;
  while (furthest < most && bucket(furthest) < span) furthest++;
  const clamped = Array.from({ length: 2 * furthest + 1 }, (_, i) => {
    const distance = i - furthest;
    const place = Math.sign(distance) * bucket(Math.abs(distance)) + span;
    return Math.min(Math.max(place, 0), 2 * span - 1);
  });
  const at = 'encoder';
  const int = (value: number) => net.g.scalar(value, DType.int64);
  const places = counted(net, rows);
  const distances = net.op(at, 'Sub', [net.op(at, 'Unsqueeze', [places, net.g.ints([1])]), places]);
  const low = net.op(at, 'Max', [distances, int(-furthest)]);
  const index = net.op(at, 'Add', [net.op(at, 'Min', [low, int(furthest)]), int(furthest)]);
  const table = net.g.constant(DType.int64, [clamped.length], clamped);
  return net.op(at, 'Unsqueeze', [net.op(at, 'Gather', [table, index]), net.g.ints([0, 1])]);
}
