import { DType } from '../../graph/dtype';
import type { Network } from './network';
import { counted, embedding } from './text';

/** A table of the numbers that distances between tokens add to the scores of each head. */
export interface DistanceTable {
  /** Module of the table, (rows, heads). */
  module: string;
  rows: number;
  heads: number;
  /** The number of rows in use: half of them for keys up to the query, half for those after it. */
  buckets: number;
  /** From this distance on, all tokens are in the last bucket. */
  furthest: number;
}

/**
 * The values that each head adds to the scores of two tokens, by the distance of the key from the query, as T5 and
 * MPNet have it.
 *
 * @param rows a vector tensor: (batch, sequence)
 * @returns (1, heads, sequence, sequence)
 */
export function distanceBias(net: Network, rows: string, table: DistanceTable): string {
  const { module: at, furthest } = table;
  const int = (value: number) => net.g.scalar(value, DType.int64);
  const places = counted(net, rows);
  const after = net.op(at, 'Sub', [places, net.op(at, 'Unsqueeze', [places, net.g.ints([1])])]);
  const low = net.op(at, 'Max', [after, int(-furthest)]);
  const index = net.op(at, 'Add', [net.op(at, 'Min', [low, int(furthest)]), int(furthest)]);
  const buckets = Array.from({ length: 2 * furthest + 1 }, (_, i) => bucketOf(i - furthest, table));
  const found = net.op(at, 'Gather', [net.g.constant(DType.int64, [buckets.length], buckets), index]);
  const values = embedding(net, at, found, table.rows, table.heads);
  return net.op(at, 'Unsqueeze', [net.op(at, 'Transpose', [values], { perm: [2, 0, 1] }), net.g.ints([0])]);
}

/**
 * The bucket of a key so many tokens after its query: near ones have their own, further ones share. PyTorch computes in
 * float32.
 */
function bucketOf(after: number, { buckets, furthest }: Pick<DistanceTable, 'buckets' | 'furthest'>): number {
  const half = Math.floor(buckets / 2);
  const exact = Math.floor(half / 2);
  const side = after > 0 ? half : 0;
  const distance = Math.abs(after);
  if (distance < exact) return side + distance;
  const log = Math.fround(Math.log(Math.fround(distance / exact)));
  const share = Math.fround(log / Math.fround(Math.log(furthest / exact)));
  const far = exact + Math.trunc(Math.fround(share * (half - exact)));
  return side + Math.min(far, half - 1);
}
