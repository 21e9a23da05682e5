import type { Activation } from './activation';
import type { DecoderSize } from './decoder';
import { linear } from './layers';
import type { Network } from './network';

/** Llama's feed-forward part on x (tokens, hidden): down_proj(act(gate_proj(x)) · up_proj(x)). */
export function gated(
  net: Network,
  module: string,
  x: string,
  { hidden, inner }: DecoderSize,
  act: Activation,
  bias = false,
): string {
  const up = { from: hidden, to: inner, bias };
  const gate = act(net, `${module}.act_fn`, linear(net, `${module}.gate_proj`, x, up));
  const product = net.op(module, 'Mul', [gate, linear(net, `${module}.up_proj`, x, up)]);
  return linear(net, `${module}.down_proj`, product, { from: inner, to: hidden, bias });
}
