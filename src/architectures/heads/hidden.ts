import { linear } from '../blocks/layers';
import type { Network } from '../blocks/network';
import type { Config } from '../folder/config';

/** What a task model's head reads. */
export interface Hidden {
  net: Network;
  config: Config;
  /** `model_type`. */
  type: string;
  /** (batch, sequence, size). */
  states: string;
  size: number;
  /** The pooler's output (batch, size), if the folder has one. */
  pooled?: string;
}

/** (batch, size). A slice, not a gather: its gradient is a padding, not a scatter. */
export function firstToken({ net, states }: Hidden): string {
  const at = net.g.ints([1]);
  return net.op('', 'Squeeze', [net.op('', 'Slice', [states, net.g.ints([0]), at, at]), at]);
}

/** A linear layer of a head, under its name in the task model, to as many features as it has. */
export function headLinear({ net }: Hidden, module: string, x: string, from: number, bias = true): string {
  const [to] = net.weights.dims(`${module}.weight`, true)!;
  return linear(net, module, x, { from, to, bias, fromTop: true });
}
