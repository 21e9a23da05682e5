import type { Activation } from './activation';
import type { DecoderSize } from './decoder';
import { linear } from './layers';
import type { Network } from './network';

type Sizes = Pick<DecoderSize, 'hidden' | 'inner'>;

/** Two linear layers on x (tokens, hidden): down(act(up(x))), as in GPT-2. */
export function plainFeedForward(
  net: Network,
  module: string,
  x: string,
  { hidden, inner }: Sizes,
  act: Activation,
  { up, down, bias }: { up: string; down: string; bias: boolean },
): string {
  const wide = linear(net, `${module}.${up}`, x, { from: hidden, to: inner, bias });
  const active = act(net, `${module}.act_fn`, wide);
  return linear(net, `${module}.${down}`, active, { from: inner, to: hidden, bias });
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
