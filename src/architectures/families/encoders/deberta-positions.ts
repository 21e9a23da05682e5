import { DType } from '../../../graph/dtype';
import { splitHeads, type AttentionShape, type Projections } from '../../blocks/attention';
import { layerNorm, linear } from '../../blocks/layers';
import type { Network } from '../../blocks/network';
import { counted } from '../../blocks/text';
import type { Config } from '../../folder/config';

/** Embeddings of distances between tokens, which all layers of a DeBERTa use. */
export interface Distances {
  /** (2 · span, hidden) */
  table: string;
  span: number;
  /** The row of the table for each query and key: int64 (1, 1, sequence, sequence). */
  rows: string;
  /** `c2p`: the product of a query and the distance of a key; `p2c`: the product of a key and that distance. */
  kinds: readonly string[];
  /** True if distances are projected as tokens are. */
  shared: boolean;
}

/** The distances of a DeBERTa's tokens; undefined if it has none. */
export function distancesOf(
  net: Network,
  config: Config,
  rows: string,
  { hidden, epsilon }: { hidden: number; epsilon: number },
): Distances | undefined {
  if (!config.flag('relative_attention', false)) return undefined;
  const most = config.count('max_position_embeddings', 512);
  const range = config.atLeastOne('max_relative_positions') ?? most;
  const buckets = config.atLeastOne('position_buckets');
  const span = buckets ?? range;
  if (buckets && (buckets < 2 || range - 1 <= buckets / 2))
    throw config.unsupported('position_buckets', [-1]);
  const weight = net.weight('encoder.rel_embeddings.weight', [2 * span, hidden]);
  const norms = config.text('norm_rel_ebd', 'none').toLowerCase().split('|');
  const isNormed = norms.some((name) => name.trim() === 'layer_norm');
  return {
    table: isNormed ? layerNorm(net, 'encoder.LayerNorm', weight, hidden, epsilon) : weight,
    span,
    rows: tableRows(net, rows, span, (distance) => (buckets ? bucketOf(distance, buckets, range) : distance)),
    kinds: attentionKinds(config),
    shared: config.flag('share_att_key', false),
  };
}

/** A list, or in older files a string: `p2c|c2p`. */
export function attentionKinds(config: Config): string[] {
  const value = config.isText('pos_att_type')
    ? config.text('pos_att_type').toLowerCase().split('|')
    : (config.texts('pos_att_type') ?? []);
  return value.map((kind) => kind.trim());
}

/** The most tokens of a text: the scores of a longer one would not fit into any memory. */
const LONGEST = 2 ** 16;

/** Distances that are too long for the table have its first or last row. */
function tableRows(net: Network, rows: string, span: number, bucket: (distance: number) => number): string {
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

/** Short distances have a bucket each, longer ones share (make_log_bucket_position, which computes in float32). */
function bucketOf(distance: number, buckets: number, range: number): number {
  const half = Math.floor(buckets / 2);
  if (distance <= half) return distance;
  const log = (of: number) => Math.fround(Math.log(Math.fround(of / half)));
  const share = Math.fround(log(distance) / log(range - 1));
  return Math.ceil(Math.fround(share * (half - 1))) + half;
}

/** The values that distances add to the scores of a layer: (batch, heads, sequence, sequence). */
export function distanceScores(
  net: Network,
  at: string,
  { query, key }: Projections,
  shape: AttentionShape,
  { table, span, rows, kinds, shared }: Distances,
  scale: number,
): string[] {
  const { heads, width } = shape;
  const hidden = heads * width;
  const scores = (of: string, module: string) => {
    const made = linear(net, `${at}.${module}`, table, { from: hidden, to: hidden });
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
  if (kinds.includes('c2p')) found.push(picked(scores(query, shared ? 'key_proj' : 'pos_key_proj'), rows));
  if (kinds.includes('p2c'))
    found.push(flipped(picked(scores(key, shared ? 'query_proj' : 'pos_query_proj'), flipped(rows))));
  return found;
}
