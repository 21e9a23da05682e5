import { attrFloat } from '../attributes';
import { DType } from '../dtype';
import type { Rewrite } from '../rewrite';
import { positionsOf } from './parts/heads';
import { requireKnown } from './parts/refuse';
import { SKIP_EPSILON } from './parts/skip-sum';

const INPUTS = [
  'input_ids',
  'segment_ids',
  'word_embedding',
  'position_embedding',
  'segment_embedding',
  'gamma',
  'beta',
  'mask',
  'position_ids',
];
const OUTPUTS = ['output', 'mask_index', 'embedding_sum'];

/**
 * The sum of a word's, a position's and, where they are given, a segment's embedding, normalized. The second output is
 * the number of tokens for which a text's mask is 1, zeros without a mask; the third is the sum.
 */
export const embedLayerNormalization: Rewrite = (node, c) => {
  requireKnown(node, { attributes: ['epsilon', 'mask_index_type'], inputs: INPUTS, outputs: OUTPUTS });
  const { g } = c;
  const [ids, segmentIds, words, positions, segments, gamma, beta, mask, positionIds] = node.inputs;
  const [y, count, sum] = node.outputs;
  const rows = (table: string, places: string) => g.op('Gather', [table, places], { axis: 0 });
  const place = positionIds || g.op('Unsqueeze', [positionsOf(g, ids, 1), g.ints([0])]);
  const typed = segmentIds && segments ? rows(segments, segmentIds) : undefined;
  const placed = g.op('Add', [rows(words, ids), rows(positions, place)]);
  const sums = typed
    ? sum
      ? c.produce(sum, 'Add', [placed, typed])
      : g.op('Add', [placed, typed])
    : sum
      ? c.produce(sum, 'Identity', [placed])
      : placed;
  if (count) {
    const ones = mask ? g.op('Equal', [mask, g.scalar(1, DType.int32)]) : undefined;
    const one = g.op('Cast', [ones ?? g.op('Less', [ids, ids])], { to: DType.int32 });
    c.produce(count, 'ReduceSum', [one, g.ints([1])], { keepdims: 0 });
  }
  const attributes = { axis: -1, epsilon: { float: attrFloat(node, 'epsilon', SKIP_EPSILON) } };
  c.replace(node, 'LayerNormalization', [sums, gamma, beta], attributes, [y]);
};
