import { DType } from '../../../graph/dtype';
import type { Activation } from '../../blocks/activation';
import { linear } from '../../blocks/layers';
import type { Network } from '../../blocks/network';

/** The conversion of numbers to waves. */
export interface Waves {
  /** True if cosines come before sines. */
  cosineFirst: boolean;
  /** The shift of the slowest wave (`freq_shift`). */
  shift: number;
}

const LONGEST = 10_000;

/**
 * Timesteps in diffusers: cosines and sines of x at wavelengths that grow by a constant factor.
 *
 * @param x (batch)
 * @returns (batch, size)
 */
export function waves(
  net: Network,
  module: string,
  x: string,
  size: number,
  { cosineFirst, shift }: Waves,
): string {
  const half = Math.floor(size / 2);
  const rates = Array.from({ length: half }, (_, i) => Math.exp((-Math.log(LONGEST) * i) / (half - shift)));
  const column = net.op(module, 'Unsqueeze', [x, net.g.ints([1])]);
  const angles = net.op(module, 'Mul', [column, net.g.constant(DType.float, [1, half], rates)]);
  const parts = (cosineFirst ? ['Cos', 'Sin'] : ['Sin', 'Cos']).map((f) => net.op(module, f, [angles]));
  const both = net.op(module, 'Concat', parts, { axis: 1 });
  return size === 2 * half ? both : net.op(module, 'Pad', [both, net.g.ints([0, 0, 0, 1])]);
}

/**
 * TimestepEmbedding: two linear layers, (batch, from) to (batch, to).
 *
 * @param input makes their input, once the weights have shown that its size is real
 */
export function timeEmbedding(
  net: Network,
  module: string,
  input: () => string,
  { from, to }: { from: number; to: number },
  act: Activation,
): string {
  net.weight(`${module}.linear_1.weight`, [to, from]);
  const x = input();
  const wide = act(net, module, linear(net, `${module}.linear_1`, x, { from, to }));
  return linear(net, `${module}.linear_2`, wide, { from: to, to });
}
