import type { Node } from '../../model';
import type { RewriteContext } from '../../rewrite';
import { DType } from '../../dtype';
import { turnHeads } from './heads';

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
