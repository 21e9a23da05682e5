import { DType } from '../../graph/dtype';
import { LOWEST, type Network } from './network';

/** The shape that all attentions of a model share. */
export interface AttentionShape {
  heads: number;
  /** Heads of keys and values: each serves heads / keyValueHeads queries. */
  keyValueHeads: number;
  /** Size of a head. */
  width: number;
  /** A vector tensor: (batch, sequence). */
  rows: string;
  /**
   * Added to the scores: (batch, 1 or heads, 1 or sequence, sequence). A second axis of 1 has a value for all heads.
   * Undefined if all tokens attend to all.
   */
  bias?: string;
  /**
   * The keys that each query sees, in the shape of `bias`. The scores of others are replaced, as by masked_fill: where
   * a query sees none, no gradient reaches its scores.
   */
  seen?: string;
  /** Puts those of earlier tokens in front of keys or values: (batch, heads, sequence, width). */
  extend?: (x: string, what: 'key' | 'value') => string;
}

/** Query, key and value, each (tokens, heads · width), or with more axes for the same numbers. */
export interface Projections {
  query: string;
  key: string;
  value: string;
}

/** Additional features of some attentions. */
export interface AttentionOptions {
  /** 1/√width by default. */
  scale?: number;
  /** Applied to queries and keys, (batch, heads, sequence, width). */
  rotate?: (x: string) => string;
  /** Applied to values. */
  rotateValue?: (x: string) => string;
  /** Applied to them before. */
  norms?: { query: (x: string) => string; key: (x: string) => string };
  /** Scores are kept below it by a tanh. */
  cap?: number;
  /** A score of each head (heads) for attending to nothing: the shares of the keys then add up to less than 1. */
  sinks?: string;
}

/**
 * softmax(scale · q kᵀ + bias) v, written out.
 *
 * @returns (tokens, heads · width)
 */
export function attention(
  net: Network,
  module: string,
  { query, key, value }: Projections,
  shape: AttentionShape,
  options: AttentionOptions = {},
): string {
  const { heads, keyValueHeads, width, bias, extend = same } = shape;
  const { scale = 1 / Math.sqrt(width), rotate = same, rotateValue = same, cap, sinks } = options;
  const { norms = { query: same, key: same } } = options;
  const q = rotate(norms.query(splitHeads(net, module, query, heads, shape)));
  const keys = extend(rotate(norms.key(splitHeads(net, module, key, keyValueHeads, shape))), 'key');
  const values = extend(rotateValue(splitHeads(net, module, value, keyValueHeads, shape)), 'value');
  const [k, v] = [repeat(net, module, keys, shape), repeat(net, module, values, shape)];
  const turned = net.op(module, 'Transpose', [k], { perm: [0, 1, 3, 2] });
  const scores = net.op(module, 'Mul', [net.op(module, 'MatMul', [q, turned]), net.float(scale)]);
  const capped = cap === undefined ? scores : softCap(net, module, scores, cap);
  const masked = bias === undefined ? capped : net.op(module, 'Add', [capped, bias]);
  const filled =
    shape.seen === undefined ? masked : net.op(module, 'Where', [shape.seen, masked, net.float(LOWEST)]);
  const shares =
    sinks === undefined
      ? net.op(module, 'Softmax', [filled], { axis: -1 })
      : besideSinks(net, module, filled, sinks, shape);
  const mixed = net.op(module, 'Transpose', [net.op(module, 'MatMul', [shares, v])], { perm: [0, 2, 1, 3] });
  return net.op(module, 'Reshape', [mixed, net.g.ints([-1, heads * width])]);
}

const same = (x: string): string => x;

/** The shares of scores (batch, heads, queries, keys) in a softmax to which each head's sink (heads) belongs too. */
function besideSinks(
  net: Network,
  module: string,
  scores: string,
  sinks: string,
  { heads, rows }: AttentionShape,
): string {
  const { g } = net;
  const [batch, queries] = [0, 1].map((i) => net.op(module, 'Slice', [rows, g.ints([i]), g.ints([i + 1])]));
  const size = net.op(module, 'Concat', [batch, g.ints([heads]), queries, g.ints([1])], { axis: 0 });
  const column = net.op(module, 'Reshape', [sinks, g.ints([1, heads, 1, 1])]);
  const all = net.op(module, 'Concat', [scores, net.op(module, 'Expand', [column, size])], { axis: -1 });
  const shares = net.op(module, 'Softmax', [all], { axis: -1 });
  return net.op(module, 'Slice', [shares, g.ints([0]), g.ints([-1]), g.ints([-1])]);
}

/** cap · tanh(x / cap). */
export function softCap(net: Network, module: string, x: string, cap: number): string {
  const small = net.op(module, 'Tanh', [net.op(module, 'Mul', [x, net.float(1 / cap)])]);
  return net.op(module, 'Mul', [small, net.float(cap)]);
}

/** (tokens, count · width) to (batch, count, sequence, width). */
export function splitHeads(
  net: Network,
  module: string,
  x: string,
  count: number,
  { rows, width }: AttentionShape,
): string {
  const size = net.op(module, 'Concat', [rows, net.g.ints([count, width])], { axis: 0 });
  return net.op(module, 'Transpose', [net.op(module, 'Reshape', [x, size])], { perm: [0, 2, 1, 3] });
}

/** Each head of keys or values as often as queries use it, one after the other. */
function repeat(net: Network, module: string, x: string, shape: AttentionShape): string {
  const { heads, keyValueHeads, width } = shape;
  if (heads === keyValueHeads) return x;
  const one = net.op(module, 'Unsqueeze', [x, net.g.ints([2])]);
  const many = net.op(module, 'Expand', [one, net.g.ints([1, 1, heads / keyValueHeads, 1, 1])]);
  return net.op(module, 'Reshape', [many, net.g.ints([0, heads, -1, width])]);
}

/** 0 for a token, the lowest float for padding: (batch, 1, 1, sequence), from a mask of integers (batch, sequence). */
export function paddingBias(net: Network, mask: string): string {
  const keys = net.op('', 'Unsqueeze', [mask, net.g.ints([1, 2])]);
  const real = net.op('', 'Cast', [keys], { to: DType.bool });
  return net.op('', 'Where', [real, net.float(0), net.float(LOWEST)]);
}

/**
 * The bias for tokens that attend to themselves and to those before them: (batch, 1, queries, keys). One lowest float
 * for both reasons: two of them would add up to infinity.
 *
 * @param mask of integers (batch, keys); undefined if no text is padded
 * @param positions int64 (keys)
 * @param window the number of tokens that are seen, the current one included; all by default
 * @param queries their positions; those of the keys by default
 */
export function causalBias(
  net: Network,
  mask: string | undefined,
  positions: string,
  window?: number,
  queries = positions,
): string {
  const rows = net.op('', 'Unsqueeze', [queries, net.g.ints([1])]);
  const unless = (seen: string, bias: string) => net.op('', 'Where', [seen, bias, net.float(LOWEST)]);
  const visible = net.op('', 'LessOrEqual', [positions, rows]);
  const padding = mask === undefined ? net.float(0) : paddingBias(net, mask);
  if (window === undefined) return unless(visible, padding);
  const last = net.op('', 'Add', [positions, net.g.scalar(window - 1, DType.int64)]);
  return unless(visible, unless(net.op('', 'LessOrEqual', [rows, last]), padding));
}

/**
 * The bias for tokens that attend to those no further away than `reach`, before and after them: (batch, 1, sequence,
 * sequence).
 *
 * @param positions int64 (sequence)
 */
export function windowBias(net: Network, mask: string, positions: string, reach: number): string {
  const rows = net.op('', 'Unsqueeze', [positions, net.g.ints([1])]);
  const far = net.g.scalar(reach, DType.int64);
  const within = (a: string, b: string) => net.op('', 'LessOrEqual', [a, net.op('', 'Add', [b, far])]);
  const unless = (seen: string, bias: string) => net.op('', 'Where', [seen, bias, net.float(LOWEST)]);
  return unless(within(positions, rows), unless(within(rows, positions), paddingBias(net, mask)));
}
