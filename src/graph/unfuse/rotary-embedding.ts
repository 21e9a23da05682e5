import { attrInt } from '../attributes';
import type { GraphBuilder } from '../builder';
import { DType } from '../dtype';
import type { Node } from '../model';
import type { Rewrite, RewriteContext } from '../rewrite';
import { positionsOf, splitHeads, turnHeads } from './parts/attention';
import { knownRank, lastSize } from './parts/known-shape';
import { refusal, requireKnown } from './parts/refuse';

const ATTRIBUTES = ['interleaved', 'is_packed_batching=0', 'num_heads', 'rotary_embedding_dim', 'scale'];
const INPUTS = ['input', 'position_ids', 'cos_cache', 'sin_cache'];

/**
 * Rotary embedding of (batch, tokens, heads · size) or (batch, heads, tokens, size). ONNX Runtime's kernels read the
 * attribute `scale` and do not use it.
 */
export const rotaryEmbedding: Rewrite = (node, c) => {
  requireKnown(node, { attributes: ATTRIBUTES, inputs: INPUTS });
  const { g } = c;
  const [x, ids, cos, sin] = node.inputs as [string, string, string, string];
  const rank = knownRank(c, node, x);
  const given = attrInt(node, 'rotary_embedding_dim', 0);
  const size = rotatedSize(c, node, cos, given);
  const heads = attrInt(node, 'num_heads', 0);
  if (given > 0 && heads === 0 && rank === 3) throw refusal(node, 'rotary_embedding_dim but not num_heads');
  const apart = rank === 4 ? turnHeads(g, x) : heads ? splitHeads(g, x, heads) : headsOf(c, x, size);
  const positions = positionsFor(c, node, ids, apart);
  const width = lastSize(c, x);
  const rest = given > 0 && !(rank === 3 && width !== undefined && width / heads === given);
  const interleaved = attrInt(node, 'interleaved', 0) === 1;
  const turned = rotate(c, apart, size, rest, { cos, sin, positions, interleaved });
  if (rank === 4) c.replace(node, 'Transpose', [turned], { perm: [0, 2, 1, 3] });
  else c.replace(node, 'Reshape', [turned, g.ints([0, 0, -1])]);
};

/** Splits features into as many heads as there are features for. */
const headsOf = ({ g }: RewriteContext, x: string, size: number): string =>
  g.op('Reshape', [x, g.ints([0, 0, -1, size])]);

/** (batch, tokens), or one offset that all tokens count from. */
function positionsFor(c: RewriteContext, node: Node, ids: string, x: string): string {
  const rank = knownRank(c, node, ids);
  const { g } = c;
  if (rank === 2) return ids;
  return c.once(`positions from ${ids} ${node.inputs[0]}`, () =>
    g.op('Unsqueeze', [
      g.op('Add', [positionsOf(g, x, 1), g.op('Cast', [ids], { to: DType.int64 })]),
      g.ints([0]),
    ]),
  );
}

export interface Rotary {
  /** (positions, rotated / 2), constants of the file. */
  cos: string;
  sin: string;
  /** int64 (batch or 1, tokens). */
  positions: string;
  /** True if neighbors are a pair, rather than features i and i + rotated / 2. */
  interleaved: boolean;
}

/** The features that a table of cosines rotates, from its constant or from the node's own attribute. */
function rotatedSize(c: RewriteContext, node: Node, cos: string, given = 0): number {
  const half = lastSize(c, cos);
  const size = given || (half === undefined ? undefined : 2 * half);
  if (size === undefined)
    throw refusal(
      node,
      `a table of cosines (${cos}) of unknown width`,
      'Export the model with constant tables.',
    );
  return size;
}

/**
 * Turns the first `size` features of each head by the angles of its token; the others stay.
 *
 * @param x (batch, tokens, heads, features)
 * @param rest true if it has other features
 */
function rotate(c: RewriteContext, x: string, size: number, rest: boolean, at: Rotary): string {
  const { g } = c;
  const table = (values: string) =>
    c.once(`rotary ${values} ${at.positions} ${at.interleaved}`, () =>
      g.op('Unsqueeze', [
        g.op('Gather', [values, at.positions], { axis: 0 }),
        g.ints(at.interleaved ? [2, 4] : [2]),
      ]),
    );
  const [cos, sin] = [table(at.cos), table(at.sin)];
  const part = (from: number, to: number) => g.op('Slice', [x, g.ints([from]), g.ints([to]), g.ints([3])]);
  const result = turnPairs(g, rest ? part(0, size) : x, cos, sin, at.interleaved);
  return rest ? g.op('Concat', [result, part(size, Number.MAX_SAFE_INTEGER)], { axis: 3 }) : result;
}

/**
 * Turns the pairs (i, i + half) of the last of four axes or, interleaved, (2i, 2i + 1).
 *
 * @param cos of each pair, broadcastable to one half; interleaved with another axis of 1
 * @param sin likewise
 */
export function turnPairs(
  g: GraphBuilder,
  x: string,
  cos: string,
  sin: string,
  interleaved: boolean,
): string {
  const pairs = interleaved ? g.op('Reshape', [x, g.ints([0, 0, 0, -1, 2])]) : x;
  const [a, b] = g.ops('Split', [pairs], { axis: -1, num_outputs: 2 }, { outputs: 2 });
  const times = (v: string, by: string) => g.op('Mul', [v, by]);
  const first = g.op('Sub', [times(a, cos), times(b, sin)]);
  const second = g.op('Add', [times(b, cos), times(a, sin)]);
  const joined = g.op('Concat', [first, second], { axis: -1 });
  return interleaved ? g.op('Reshape', [joined, g.ints([0, 0, 0, -1])]) : joined;
}

/**
 * The rotation of the queries and keys of a GroupQueryAttention, if the node does that.
 *
 * @param tokens (batch, tokens, …)
 */
export function promptRotation(c: RewriteContext, node: Node, tokens: string): (x: string) => string {
  if (attrInt(node, 'do_rotary', 0) !== 1) return (x) => x;
  const { g } = c;
  const [query, key, , , , , length, cos, sin, ids] = node.inputs;
  if (!cos || !sin) throw refusal(node, 'do_rotary but neither cos_cache nor sin_cache');
  const size = rotatedSize(c, node, cos);
  const heads = attrInt(node, 'num_heads', 1);
  const all = key ? heads : heads + 2 * attrInt(node, 'kv_num_heads', heads);
  const width = lastSize(c, query);
  const rest = width === undefined || width / all !== size;
  const positions = c.once(`positions ${ids} ${length}`, () => {
    const places = positionsOf(g, tokens, 1);
    // For texts from their beginning, ONNX Runtime counts on from the first id, also if others differ.
    const first = ids ? g.op('Slice', [g.op('Reshape', [ids, g.ints([-1])]), g.ints([0]), g.ints([1])]) : '';
    return g.op('Unsqueeze', [ids ? g.op('Add', [places, first]) : places, g.ints([0])]);
  });
  const interleaved = attrInt(node, 'rotary_interleaved', 0) === 1;
  return (x) => rotate(c, x, size, rest, { cos, sin, positions, interleaved });
}
