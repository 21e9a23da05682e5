import type { GraphBuilder } from '../../builder';
import { DType } from '../../dtype';
import { PACKED } from '../../layers/module-path';
import type { Node } from '../../model';
import type { RewriteContext } from '../../rewrite';

export interface DotProduct {
  /** (batch, tokens, heads, size). */
  query: string;
  /** (batch, keys, heads, size). */
  key: string;
  /** (batch, keys, heads, size of values). */
  value: string;
  /** 1 / √size if 0. */
  scale: number;
  /** Added to the scores, each broadcastable to (batch, heads, tokens, keys). */
  biases: string[];
  /** Scores are bounded to ±softcap by tanh, unless it is 0. */
  softcap?: number;
  /** (heads): the score of a key without a value. */
  sink?: string;
}

/** softmax(softcap(scale · query · keyᵀ) + biases) · value in place of a fused node: (batch, tokens, heads · size). */
export function dotProduct(c: RewriteContext, node: Node, parts: DotProduct): void {
  const { g } = c;
  const type = c.declared.floatType(node.inputs[0]);
  const query = scaled(c, parts, type);
  const key = g.op('Transpose', [parts.key], { perm: [0, 2, 3, 1] });
  let scores = g.op('MatMul', [turnHeads(g, query), key]);
  if (parts.softcap) {
    const cap = g.scalar(parts.softcap, type);
    scores = g.op('Mul', [g.op('Tanh', [g.op('Div', [scores, cap])]), cap]);
  }
  for (const bias of parts.biases) scores = g.op('Add', [scores, bias]);
  const shares = parts.sink === undefined ? softmax(c, scores) : withSink(c, scores, parts.sink);
  const mixed = g.op('MatMul', [shares, turnHeads(g, parts.value)]);
  c.replace(node, 'Reshape', [turnHeads(g, mixed), g.ints([0, 0, -1])], {}, [node.outputs[0]]);
}

const softmax = ({ g }: RewriteContext, scores: string): string => g.op('Softmax', [scores], { axis: -1 });

function scaled({ g }: RewriteContext, { query, scale }: DotProduct, type: number): string {
  if (scale !== 0) return g.op('Mul', [query, g.scalar(scale, type)]);
  const size = g.op('Cast', [g.op('Shape', [query], { start: 3, end: 4 })], { to: DType.float });
  const root = g.op('Sqrt', [size]);
  return g.op('Div', [query, type === DType.float ? root : g.op('Cast', [root], { to: type })]);
}

/** The sink is an extra column in the softmax, dropped afterwards. */
function withSink(c: RewriteContext, scores: string, sink: string): string {
  const { g } = c;
  const rows = g.op('Shape', [scores], { start: 0, end: 3 });
  const column = g.op('Expand', [
    g.op('Reshape', [sink, g.ints([1, -1, 1, 1])]),
    g.op('Concat', [rows, g.ints([1])], { axis: 0 }),
  ]);
  const shares = softmax(c, g.op('Concat', [scores, column], { axis: 3 }));
  return g.op('Slice', [shares, g.ints([0]), g.ints([-1]), g.ints([3])]);
}

/** (batch, tokens, heads · size) as (batch, tokens, heads, size). */
export const splitHeads = (g: GraphBuilder, x: string, heads: number): string =>
  g.op('Reshape', [x, g.ints([0, 0, heads, -1])]);

/** (batch, tokens, heads, size) and (batch, heads, tokens, size), either way. */
export const turnHeads = (g: GraphBuilder, x: string): string =>
  g.op('Transpose', [x], { perm: [0, 2, 1, 3] });

/** Each head `times` times, one after the other: (batch, tokens, heads, size) to (batch, tokens, heads · times, size). */
export function repeatHeads(g: GraphBuilder, x: string, heads: number, times: number): string {
  if (times === 1) return x;
  const one = g.op('Unsqueeze', [x, g.ints([3])]);
  const many = g.op('Expand', [one, g.ints([1, 1, 1, times, 1])]);
  return g.op('Reshape', [many, g.ints([0, 0, heads * times, -1])]);
}

/** Picks one index of an axis, which is taken away. */
export const pick = (g: GraphBuilder, x: string, axis: number, index: number): string =>
  g.op('Squeeze', [g.op('Slice', [x, g.ints([index]), g.ints([index + 1]), g.ints([axis])]), g.ints([axis])]);

/** The size of one axis, int64 [1]. */
export const sizeOf = (g: GraphBuilder, x: string, axis: number): string =>
  g.op('Shape', [x], { start: axis, end: axis + 1 });

/** The positions 0 … size − 1 of an axis, int64. */
export function positionsOf(g: GraphBuilder, x: string, axis: number): string {
  const size = g.op('Squeeze', [sizeOf(g, x, axis), g.ints([0])]);
  return g.op('Range', [g.scalar(0, DType.int64), size, g.scalar(1, DType.int64)]);
}

/**
 * The three parts of a constant for query, key and value. Their readers are one linear layer each, whose weight or bias
 * is that part of the constant.
 *
 * @param sizes thirds by default; the name of a tensor if the file does not state them
 */
export function blocks(
  c: RewriteContext,
  name: string,
  axis: number,
  sizes?: readonly number[] | string,
): string[] {
  const { g } = c;
  if (typeof sizes === 'string') return g.ops('Split', [name, sizes], { axis }, { outputs: 3 });
  const all = c.constant(name)?.dims[axis];
  const known = sizes ?? (all === undefined ? undefined : [all / 3, all / 3, all / 3]);
  if (!known) return g.ops('Split', [name], { axis, num_outputs: 3 }, { outputs: 3 });
  const parts = g.ops('Split', [name, g.ints([...known])], { axis }, { outputs: 3 });
  g.sink.at(-1)!.metadata.set(PACKED, '');
  return parts;
}
