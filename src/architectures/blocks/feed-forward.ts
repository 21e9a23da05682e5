import type { Activation } from './activation';
import type { DecoderSize } from './decoder';
import { linear } from './layers';
import type { Network } from './network';

type Sizes = Pick<DecoderSize, 'hidden' | 'inner'>;

/** The linear layers of a feed-forward part. */
export interface FeedForward {
  up: string;
  down: string;
  /** True if both have a bias; the default. */
  bias?: boolean;
}

/** The names of Megatron-LM, which many families keep. */
export const MEGATRON = { up: 'dense_h_to_4h', down: 'dense_4h_to_h' };

/** GPT-2's feed-forward part on x (tokens, hidden): down(act(up(x))). */
export function feedForward(
  net: Network,
  module: string,
  x: string,
  { hidden, inner }: Sizes,
  act: Activation,
  { up, down, bias = true }: FeedForward,
): string {
  const wide = linear(net, `${module}.${up}`, x, { from: hidden, to: inner, bias });
  return linear(net, `${module}.${down}`, act(net, `${module}.act`, wide), { from: inner, to: hidden, bias });
}

/** Llama's feed-forward part on x (tokens, hidden): down_proj(act(gate_proj(x)) · up_proj(x)). */
export function gated(
  net: Network,
  module: string,
  x: string,
  { hidden, inner }: Sizes,
  act: Activation,
  bias = false,
): string {
  const up = { from: hidden, to: inner, bias };
  const gate = act(net, `${module}.act_fn`, linear(net, `${module}.gate_proj`, x, up));
  const product = net.op(module, 'Mul', [gate, linear(net, `${module}.up_proj`, x, up)]);
  return linear(net, `${module}.down_proj`, product, { from: inner, to: hidden, bias });
}

/** Llama's feed-forward part with the gate's and up_proj's rows in one weight, in this order: Phi-3's. */
export function packedGated(
  net: Network,
  module: string,
  x: string,
  { hidden, inner }: Sizes,
  act: Activation,
): string {
  const wide = linear(net, `${module}.gate_up_proj`, x, { from: hidden, to: 2 * inner, bias: false });
  const [gate, up] = net.ops(module, 'Split', [wide], { axis: -1, num_outputs: 2 }, 2);
  const product = net.op(module, 'Mul', [up, act(net, `${module}.activation_fn`, gate)]);
  return linear(net, `${module}.down_proj`, product, { from: inner, to: hidden, bias: false });
}
