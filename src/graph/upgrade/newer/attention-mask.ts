import { attrInt } from '../../attributes';
import { DType } from '../../dtype';
import type { Node } from '../../model';
import type { RewriteContext } from '../../rewrite';
import { lowest } from '../../unfuse/parts/lowest';

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
export function attentionMask(
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
