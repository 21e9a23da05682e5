import { attrFloat, attrInt } from '../attributes';
import { DType } from '../dtype';
import type { Node } from '../model';
import type { Rewrite, RewriteContext } from '../rewrite';
import { knownRank } from '../unfuse/parts/known-shape';
import { lowest } from '../unfuse/parts/masks';
import { turnPairs } from '../unfuse/rotary-embedding';

/**
 * Attention of ai.onnx 23 and 24: softmax(c·tanh(√s·q (√s·k)ᵀ / c) + mask) v, where a row whose keys are all masked is 0,
 * as in ONNX Runtime's kernel. Queries, keys and values are (batch, sequence, heads · size) or (batch, heads, sequence,
 * size); the cache is in the second form.
 */
export const attention: Rewrite = (node, c) => {
  const { g } = c;
  const [q, k, v, , pastKey, pastValue] = node.inputs;
  const [y, presentKey, presentValue] = node.outputs;
  const type = c.declared.floatType(q);
  const flat = knownRank(c, node, q) === 3;
  const axis = flat ? -1 : 1;
  const heads = attrInt(node, 'q_num_heads') ?? (flat ? undefined : c.declared.size(q, axis));
  const own = attrInt(node, 'kv_num_heads') ?? (flat ? undefined : c.declared.size(k, axis));
  const split = (x: string, count: number | undefined) => (flat ? splitHeads(c, x, count!) : x);
  const query = split(q, heads);
  const newKey = split(k, own);
  const key = withPast(c, newKey, pastKey, presentKey);
  const value = withPast(c, split(v, own), pastValue, presentValue);
  const counts = { queries: heads, own };
  const width = c.declared.size(q, -1);
  const root = rootOfScale(node, c, query, type, flat && width !== undefined ? width / heads! : width);
  const scaled = (x: string) => g.op('Mul', [x, root]);
  const turned = g.op('Transpose', [scaled(repeatHeads(c, key, query, counts))], { perm: [0, 1, 3, 2] });

  const stages = new Stages(node, c);
  let scores = stages.reach(0, g.op('MatMul', [scaled(query), turned]));
  const cap = attrFloat(node, 'softcap', 0);
  if (cap > 0) {
    const limit = g.scalar(cap, type);
    scores = g.op('Mul', [g.op('Tanh', [g.op('Div', [scores, limit])]), limit]);
  }
  scores = stages.reach(1, scores);
  const mask = attentionMask(node, c, { query, key, newKey, type });
  if (mask) scores = g.op('Add', [scores, mask.bias]);
  scores = stages.reach(2, scores);
  let shares = softmax(node, c, scores, type);
  if (stages.wanted === 3 && mask?.alive) shares = g.op('Mul', [shares, mask.alive]);
  stages.reach(3, shares);

  const whole = flat || mask?.alive ? g.fresh('MatMul') : y;
  c.replace(node, 'MatMul', [shares, repeatHeads(c, value, query, counts)], {}, [whole]);
  if (!flat && mask?.alive) c.produce(y, 'Mul', [whole, mask.alive]);
  if (!flat) return;
  const alive = mask?.alive ? g.op('Mul', [whole, mask.alive]) : whole;
  const rows = g.op('Transpose', [alive], { perm: [0, 2, 1, 3] });
  c.produce(y, 'Reshape', [rows, g.ints([0, 0, -1])]);
};

/** The keys or values of earlier tokens and of these; also an output if the node has it. */
function withPast(
  c: RewriteContext,
  x: string,
  past: string | undefined,
  present: string | undefined,
): string {
  if (past && present) return c.produce(present, 'Concat', [past, x], { axis: 2 });
  if (past) return c.g.op('Concat', [past, x], { axis: 2 });
  if (present) c.produce(present, 'Identity', [x]);
  return x;
}

/** The square root of the scale, which is 1/√size by default. */
function rootOfScale(node: Node, c: RewriteContext, query: string, type: number, size?: number): string {
  const scale = attrFloat(node, 'scale', size === undefined ? 0 : 1 / Math.sqrt(size));
  if (scale > 0) return c.g.scalar(Math.sqrt(scale), type);
  const { g } = c;
  const width = g.op('Cast', [g.op('Shape', [query], { start: 3, end: 4 })], { to: type });
  return g.op('Reciprocal', [g.op('Sqrt', [g.op('Sqrt', [width])])]);
}

function softmax(node: Node, c: RewriteContext, scores: string, type: number): string {
  const precision = attrInt(node, 'softmax_precision', 0);
  if (precision === 0 || precision === type || type === DType.double)
    return c.g.op('Softmax', [scores], { axis: -1 });
  const wide = c.g.op('Softmax', [c.g.op('Cast', [scores], { to: precision })], { axis: -1 });
  return c.g.op('Cast', [wide], { to: type });
}

/** The scores as an output: as products (0), after the cap (1), after the mask (2) or after softmax (3). */
class Stages {
  readonly wanted: number | undefined;

  constructor(
    private readonly node: Node,
    private readonly c: RewriteContext,
  ) {
    this.wanted = node.outputs[3] ? attrInt(node, 'qk_matmul_output_mode', 0) : undefined;
  }

  reach(stage: number, scores: string): string {
    return stage === this.wanted ? this.c.produce(this.node.outputs[3], 'Identity', [scores]) : scores;
  }
}

interface Mask {
  /** Added to the scores; finite, so that a row of masked keys has no NaN. */
  bias: string;
  /** 1 for each row with a key to read, else 0; undefined if every row has one. */
  alive?: string;
}

/**
 * The keys that an ai.onnx Attention reads: those of attn_mask, of earlier tokens and their own if is_causal, and of
 * the first nonpad_kv_seqlen ones. Undefined if all.
 *
 * @param query (batch, heads, sequence, size)
 * @param key   (batch, heads, earlier and own tokens, size)
 * @param newKey its end, without the cache
 */
function attentionMask(
  node: Node,
  c: RewriteContext,
  { query, key, newKey, type }: { query: string; key: string; newKey: string; type: number },
): Mask | undefined {
  const { g } = c;
  const mask = node.inputs[3] || undefined;
  const lengths = node.inputs[6] || undefined;
  const isBool = mask !== undefined && c.declared.dtype(mask) === DType.bool;
  const parts: string[] = [];
  if (mask) parts.push(isBool ? mask : g.op('Greater', [mask, g.scalar(lowest(type), type)]));
  const column = lengths && g.op('Unsqueeze', [lengths, g.ints([1, 2, 3])]);
  if (attrInt(node, 'is_causal', 0) === 1) parts.push(causal(c, query, key, newKey, column));
  if (column) parts.push(g.op('Less', [places(c, key), column]));
  if (parts.length === 0) return undefined;
  const allowed = parts.reduce((a, b) => g.op('And', [a, b]));
  const open = mask && !isBool ? mask : g.scalar(0, type);
  // Half of the lowest number, since scores are added to it; TensorFlow.js computes float64 in float32.
  const closed = Math.max(lowest(type), lowest(DType.float)) / 2;
  const bias = g.op('Where', [allowed, open, g.scalar(closed, type)]);
  if (!mask && !lengths) return { bias };
  const alive = g.op('ReduceMax', [g.op('Cast', [allowed], { to: type }), g.ints([-1])], { keepdims: 1 });
  return { bias, alive };
}

/**
 * bool, broadcasts to (batch, 1, sequence, all tokens): token i reads those before it and itself. The sequence is at the
 * end of the tokens that there are: after those of the cache, or the last of nonpad_kv_seqlen.
 *
 * @param column nonpad_kv_seqlen as (batch, 1, 1, 1)
 */
function causal(
  c: RewriteContext,
  query: string,
  key: string,
  newKey: string,
  column: string | undefined,
): string {
  const { g } = c;
  const length = (x: string) => g.op('Shape', [x], { start: 2, end: 3 });
  let rows = g.op('Unsqueeze', [places(c, query), g.ints([1])]);
  if (newKey !== key) rows = g.op('Add', [rows, g.op('Sub', [length(key), length(newKey)])]);
  if (column) rows = g.op('Add', [rows, g.op('Sub', [column, length(query)])]);
  return g.op('LessOrEqual', [places(c, key), rows]);
}

/** int64: 0 … sequence − 1 of (batch, heads, sequence, size). */
function places(c: RewriteContext, x: string): string {
  const { g } = c;
  const length = g.op('Squeeze', [g.op('Shape', [x], { start: 2, end: 3 })]);
  return g.op('Range', [g.scalar(0, DType.int64), length, g.scalar(1, DType.int64)]);
}

/** (batch, sequence, heads · size) to (batch, heads, sequence, size). */
function splitHeads(c: RewriteContext, x: string, heads: number): string {
  const rows = c.g.op('Reshape', [x, c.g.ints([0, 0, heads, -1])]);
  return c.g.op('Transpose', [rows], { perm: [0, 2, 1, 3] });
}

/**
 * Keys or values (batch, heads, sequence, size) with each head as often as queries read it, one after the other.
 *
 * @param queries (batch, query heads, sequence, size)
 * @param counts the numbers of query heads and of heads of x, where they are known
 */
function repeatHeads(
  c: RewriteContext,
  x: string,
  queries: string,
  counts: { queries?: number; own?: number },
): string {
  if (counts.queries !== undefined && counts.queries === counts.own) return x;
  const { g } = c;
  const sizes = (of: string, start: number, end: number) => g.op('Shape', [of], { start, end });
  const heads = counts.queries === undefined ? sizes(queries, 1, 2) : g.ints([counts.queries]);
  const times =
    counts.queries === undefined || counts.own === undefined
      ? g.op('Div', [heads, sizes(x, 1, 2)])
      : g.ints([counts.queries / counts.own]);
  const one = g.ints([1, 1]);
  const expanded = g.op('Expand', [
    g.op('Unsqueeze', [x, g.ints([2])]),
    g.op('Concat', [one, times, one], { axis: 0 }),
  ]);
  return g.op('Reshape', [expanded, g.op('Concat', [sizes(x, 0, 1), heads, sizes(x, 2, 4)], { axis: 0 })]);
}

/**
 * RotaryEmbedding of ai.onnx 23: turns pairs of the first rotary_embedding_dim features of each head by the angles of
 * their token; the rest passes. X is (batch, sequence, heads · size) or (batch, heads, sequence, size). The tables are
 * (positions, pairs) with position_ids, else (batch, sequence, pairs).
 */
export const rotaryEmbedding: Rewrite = (node, c) => {
  const { g } = c;
  const [x, cosines, sines, positions] = node.inputs;
  const flat = knownRank(c, node, x) === 3;
  const rows = flat ? g.op('Reshape', [x, g.ints([0, 0, attrInt(node, 'num_heads', 0), -1])]) : x;
  const interleaved = attrInt(node, 'interleaved', 0) === 1;
  const axes = [flat ? 2 : 1, ...(interleaved ? [4] : [])];
  const table = (t: string) =>
    g.op('Unsqueeze', [positions ? g.op('Gather', [t, positions]) : t, g.ints(axes)]);
  const turn = (part: string) => turnPairs(g, part, table(cosines), table(sines), interleaved);
  const width = attrInt(node, 'rotary_embedding_dim', 0);
  const cut = (from: number, to: number) => g.op('Slice', [rows, g.ints([from]), g.ints([to]), g.ints([-1])]);
  const size = flat ? undefined : c.declared.size(x, -1);
  const whole = width === 0 || width === size;
  const parts = whole ? [turn(rows)] : [turn(cut(0, width)), cut(width, Number.MAX_SAFE_INTEGER)];
  if (flat) {
    const joined = whole ? parts[0] : g.op('Concat', parts, { axis: -1 });
    c.replace(node, 'Reshape', [joined, g.op('Shape', [x])]);
  } else if (whole) c.replace(node, 'Identity', parts);
  else c.replace(node, 'Concat', parts, { axis: -1 });
};
