import { attrInt } from '../attributes';
import { DType } from '../dtype';
import type { Rewrite, RewriteContext } from '../rewrite';
import { requireKnown } from './parts/refuse';

/**
 * T5's bias for each distance between a query and a key, (1, heads, queries, keys). The table is declared as (buckets,
 * heads) and holds (heads, buckets).
 */
export const relativePositionBias: Rewrite = (node, c) => {
  requireKnown(node, {
    attributes: ['is_bidirectional', 'max_distance'],
    inputs: ['bias_table', 'query_length', 'key_length'],
  });
  const { g } = c;
  const [table, queries, keys] = node.inputs;
  const sizes = g.op('Shape', [table]);
  const [buckets, heads] = g.ops('Split', [sizes], { axis: 0, num_outputs: 2 }, { outputs: 2 });
  const turned = g.op('Reshape', [table, g.op('Concat', [heads, buckets], { axis: 0 })]);
  const places = (length: string) => g.op('Range', [int(c, 0), g.op('Squeeze', [length]), int(c, 1)]);
  const distance = g.op('Sub', [places(keys), g.op('Unsqueeze', [places(queries), g.ints([1])])]);
  const both = attrInt(node, 'is_bidirectional', 0) === 1;
  const bucket = bucketOf(c, distance, buckets, both, attrInt(node, 'max_distance', 128));
  c.replace(node, 'Unsqueeze', [g.op('Gather', [turned, bucket], { axis: 1 }), g.ints([0])]);
};

/**
 * Near distances have a bucket each, the others share them in logarithmic steps up to the longest.
 *
 * @param distance int64, of a key from its query: after it if positive
 * @param buckets their number, int64 [1]
 * @param both true if keys after the query have other buckets; they are the second half
 */
function bucketOf(
  c: RewriteContext,
  distance: string,
  buckets: string,
  both: boolean,
  longest: number,
): string {
  const { g } = c;
  const count = both ? g.op('Div', [buckets, int(c, 2)]) : buckets;
  const steps = both ? g.op('Abs', [distance]) : g.op('Max', [g.op('Neg', [distance]), int(c, 0)]);
  const near = g.op('Div', [count, int(c, 2)]);
  const float = (x: string) => g.op('Cast', [x], { to: DType.float });
  const ratio = (x: string) => g.op('Log', [g.op('Div', [x, float(near)])]);
  // The logarithm is not read at distance 0.
  const part = g.op('Div', [
    ratio(float(g.op('Max', [steps, int(c, 1)]))),
    ratio(g.scalar(longest, DType.float)),
  ]);
  const shared = g.op('Mul', [part, float(g.op('Sub', [count, near]))]);
  const far = g.op('Add', [near, g.op('Cast', [shared], { to: DType.int64 })]);
  const last = g.op('Sub', [count, int(c, 1)]);
  const own = g.op('Where', [g.op('Less', [steps, near]), steps, g.op('Min', [far, last])]);
  if (!both) return own;
  const after = g.op('Where', [g.op('Greater', [distance, int(c, 0)]), count, int(c, 0)]);
  return g.op('Add', [own, after]);
}

const int = (c: RewriteContext, value: number): string => c.g.scalar(value, DType.int64);
