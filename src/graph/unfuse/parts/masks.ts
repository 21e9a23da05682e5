import { DType } from '../../dtype';
import type { Node } from '../../model';
import type { RewriteContext } from '../../rewrite';
import { positionsOf, sizeOf } from './attention';
import { knownRank } from './known-shape';

/** The sequence that a mask belongs to: tokens (batch, tokens, …) that attend to keys (batch, keys, …). */
export interface Sequence {
  tokens: string;
  keys: string;
}

/** The differences between the masks of fused attention operators. */
export interface MaskForm {
  /** The value of a masked score. */
  filter: number;
  /** True if a mask of one axis has the beginnings of texts after their ends if it is (2 · batch). */
  begins: boolean;
}

/**
 * A mask of integers as a number to add to scores: 0 for visible keys, the filter value for the rest. It may have one
 * axis (the number of keys of each text, which other numbers may follow), two (batch, keys), three (batch, tokens,
 * keys) or four (batch, 1, longest, longest).
 *
 * @returns broadcastable to (batch, heads, tokens, keys)
 */
export function maskBias(
  c: RewriteContext,
  node: Node,
  mask: string,
  sequence: Sequence,
  { filter, begins }: MaskForm,
): string {
  const rank = knownRank(c, node, mask);
  const type = c.declared.floatType(node.inputs[0]);
  return c.once(`mask ${mask} ${filter} ${type}`, () => {
    const { g } = c;
    const seen = rank === 1 ? withinLength(c, mask, sequence, begins) : isSet(c, mask, rank, sequence);
    return g.op('Where', [seen, g.scalar(0, type), g.scalar(filter, type)]);
  });
}

function withinLength({ g }: RewriteContext, mask: string, { tokens, keys }: Sequence, begins: boolean) {
  const batch = sizeOf(g, tokens, 0);
  const zero = g.constant(DType.int64, [1], [0]);
  const whole = g.op('Cast', [mask], { to: DType.int64 });
  const part = (x: string, from: string, to: string) =>
    g.op('Unsqueeze', [g.op('Slice', [x, from, to]), g.ints([1, 2, 3])]);
  const places = positionsOf(g, keys, 1);
  const before = g.op('Less', [places, part(whole, zero, batch)]);
  if (!begins) return before;
  const twice = g.op('Add', [batch, batch]);
  // Zeros stand for the beginnings that a mask does not have. One of (3 · batch + 2) has other numbers in their place.
  const padded = g.op('Concat', [whole, g.op('Expand', [zero, batch])], { axis: 0 });
  const has = g.op('Cast', [g.op('Equal', [sizeOf(g, mask, 0), twice])], { to: DType.int64 });
  const starts = g.op('Mul', [part(padded, batch, twice), has]);
  return g.op('And', [before, g.op('GreaterOrEqual', [places, starts])]);
}

function isSet({ g }: RewriteContext, mask: string, rank: number, { tokens, keys }: Sequence): string {
  const fitted =
    rank === 4
      ? g.op('Slice', [
          mask,
          g.ints([0, 0]),
          g.op('Concat', [sizeOf(g, tokens, 1), sizeOf(g, keys, 1)], { axis: 0 }),
          g.ints([2, 3]),
        ])
      : g.op('Unsqueeze', [mask, g.ints(rank === 3 ? [1] : [1, 2])]);
  return g.op('Greater', [fitted, g.scalar(0, DType.int32)]);
}

/** The limits of the keys that a token sees, besides that they are not after it. */
export interface Limits {
  /** The number of keys that are seen, the token's own included; all by default. */
  window?: number;
  /** An integer tensor, one number for each text: its last key. */
  last?: string;
  /** True if the last token sees all keys, also those after it, if there are more keys than tokens. */
  openEnd?: boolean;
}

/**
 * The lowest number for all keys that a token does not see: those after it, before a window that ends with it, or after
 * the end of its text. (1 or batch, 1, tokens, keys).
 *
 * @param shared a name for sequences with equal numbers of tokens and keys
 */
export function causalBias(
  c: RewriteContext,
  { tokens, keys }: Sequence,
  type: number,
  shared: string,
  { window, last, openEnd }: Limits = {},
): string {
  return c.once(`causal ${shared} ${type} ${window} ${last} ${openEnd}`, () => {
    const { g } = c;
    const columns = positionsOf(g, keys, 1);
    const rows = g.op('Unsqueeze', [tokens === keys ? columns : positionsOf(g, tokens, 1), g.ints([1])]);
    let seen = g.op('LessOrEqual', [columns, rows]);
    if (openEnd) {
      const next = g.op('Add', [rows, g.scalar(1, DType.int64)]);
      seen = g.op('Or', [seen, g.op('Equal', [next, sizeOf(g, tokens, 1)])]);
    }
    if (window !== undefined) {
      const until = g.op('Add', [columns, g.scalar(window - 1, DType.int64)]);
      seen = g.op('And', [seen, g.op('LessOrEqual', [rows, until])]);
    }
    seen = last ? g.op('And', [seen, upTo(c, columns, last)]) : g.op('Unsqueeze', [seen, g.ints([0, 1])]);
    return hidden(c, seen, type);
  });
}

/** The lowest number for the keys after the last one of each text: (batch, 1, 1, keys). */
export const endBias = (c: RewriteContext, keys: string, type: number, last: string): string =>
  c.once(`end ${last} ${type}`, () => hidden(c, upTo(c, positionsOf(c.g, keys, 1), last), type));

const upTo = ({ g }: RewriteContext, columns: string, last: string): string =>
  g.op('LessOrEqual', [
    columns,
    g.op('Reshape', [g.op('Cast', [last], { to: DType.int64 }), g.ints([-1, 1, 1, 1])]),
  ]);

const hidden = ({ g }: RewriteContext, seen: string, type: number): string =>
  g.op('Where', [seen, g.scalar(0, type), g.scalar(lowest(type), type)]);

const LOWEST: Record<number, number> = {
  [DType.float]: -3.4028234663852886e38,
  [DType.double]: -Number.MAX_VALUE,
  [DType.float16]: -65504,
  [DType.bfloat16]: -3.3895313892515355e38,
};

/**
 * The lowest number of a type of floats: the value of a score that no token may see. Finite, so that a row without any
 * key has no NaN.
 */
export const lowest = (type: number): number => LOWEST[type];
