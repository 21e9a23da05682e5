import { DType } from '../../graph/dtype';
import type { Network } from './network';

/**
 * ALiBi's slopes, one for each head, in float32 (arXiv 2108.12409, section 3): 2^(−8 i / n) for the largest power of two
 * n up to `heads`, then every other slope of 2 n heads.
 */
export function alibiSlopes(heads: number): number[] {
  const n = 2 ** Math.floor(Math.log2(heads));
  return Array.from({ length: heads }, (_, i) =>
    Math.fround(2 ** (i < n ? (-8 * (i + 1)) / n : (-4 * (2 * (i - n) + 1)) / n)),
  );
}

const AT = 'alibi';

/**
 * The part of attention scores that ALiBi adds: each key's place times the slope of the head. A query's own place would
 * add the same to all of its scores, which the softmax does not see.
 *
 * @param places int64 (batch or 1, keys)
 * @returns (batch or 1, heads, 1, keys)
 */
export function alibi(net: Network, places: string, slopes: readonly number[]): string {
  return net.op(AT, 'Mul', [forHeads(net, real(net, places)), perHead(net, slopes)]);
}

/**
 * `alibi` with slopes, places and products in bfloat16, each rounded half to even. Written out in float32, which has all
 * of these numbers: not every engine has the type.
 *
 * @param scale the rounded products are multiplied by it
 */
export function roundedAlibi(net: Network, places: string, slopes: readonly number[], scale: number): string {
  const x = real(net, places);
  const octave = octaveOf(net, x);
  // From 128 to 256: eight bits.
  const digits = net.op(AT, 'Round', [net.op(AT, 'Div', [net.op(AT, 'Mul', [x, net.float(128)]), octave])]);
  const parts = slopes.map((slope) => {
    const own = 2 ** Math.floor(Math.log2(slope));
    return { digits: roundHalfToEven((128 * slope) / own), octave: own };
  });
  // The product of two numbers of eight bits has at most sixteen, before it is rounded to eight again.
  const product = net.op(AT, 'Mul', [
    forHeads(net, digits),
    perHead(
      net,
      parts.map((part) => part.digits / 128),
    ),
  ]);
  const isWide = net.op(AT, 'GreaterOrEqual', [product, net.float(256)]);
  const unit = net.op(AT, 'Where', [isWide, net.float(2), net.float(1)]);
  const rounded = net.op(AT, 'Mul', [net.op(AT, 'Round', [net.op(AT, 'Div', [product, unit])]), unit]);
  const size = perHead(
    net,
    parts.map((part) => (part.octave * scale) / 128),
  );
  return net.op(AT, 'Mul', [net.op(AT, 'Mul', [rounded, forHeads(net, octave)]), size]);
}

const real = (net: Network, places: string): string => net.op(AT, 'Cast', [places], { to: DType.float });

/** (batch or 1, keys) to (batch or 1, 1, 1, keys). */
const forHeads = (net: Network, x: string): string => net.op(AT, 'Unsqueeze', [x, net.g.ints([1, 2])]);

const perHead = (net: Network, values: readonly number[]): string =>
  net.g.constant(DType.float, [values.length, 1, 1], [...values]);

/** Above any number of tokens; all integers up to it are exact in float32. */
const MOST_OCTAVES = 24;

/** The largest power of two up to each of x, at least 1. Counted: a logarithm may be rounded across it. */
function octaveOf(net: Network, x: string): string {
  const powers = Array.from({ length: MOST_OCTAVES - 1 }, (_, i) => 2 ** i);
  const row = (values: number[]) => net.g.constant(DType.float, [values.length], values);
  const reaches = net.op(AT, 'GreaterOrEqual', [
    net.op(AT, 'Unsqueeze', [x, net.g.ints([-1])]),
    row(powers.map((p) => 2 * p)),
  ]);
  const added = net.op(AT, 'Mul', [net.op(AT, 'Cast', [reaches], { to: DType.float }), row(powers)]);
  const sum = net.op(AT, 'ReduceSum', [added, net.g.ints([-1])], { keepdims: 0 });
  return net.op(AT, 'Add', [sum, net.float(1)]);
}

function roundHalfToEven(x: number): number {
  const down = Math.floor(x);
  return x - down === 0.5 ? down + (down % 2) : Math.round(x);
}
