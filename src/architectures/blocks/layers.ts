import type { Network } from './network';

/** Sizes of a linear layer. */
export interface LinearSize {
  from: number;
  to: number;
  bias?: boolean;
  /** Whether its name is that in the task model: a head's. */
  fromTop?: boolean;
}

/** nn.Linear on x (tokens, from): (tokens, to). Its weight stays as it is stored, (to, from). */
export function linear(
  net: Network,
  module: string,
  x: string,
  { from, to, bias = true, fromTop }: LinearSize,
): string {
  const weight = net.weight(`${module}.weight`, [to, from], fromTop);
  const inputs = [x, weight, ...(bias ? [net.weight(`${module}.bias`, [to], fromTop)] : [])];
  return net.op(module, 'Gemm', inputs, { transB: 1 });
}

/** transformers' Conv1D on x (tokens, from): a linear layer whose weight is stored as (from, to). */
export const conv1d = (net: Network, module: string, x: string, { from, to }: LinearSize): string =>
  net.op(module, 'Gemm', [x, net.weight(`${module}.weight`, [from, to]), net.weight(`${module}.bias`, [to])]);

/** @param fromTop whether its name is that in the task model */
export function layerNorm(
  net: Network,
  module: string,
  x: string,
  size: number,
  epsilon: number,
  fromTop?: boolean,
): string {
  const [weight, bias] = ['weight', 'bias'].map((part) => net.weight(`${module}.${part}`, [size], fromTop));
  return net.op(module, 'LayerNormalization', [x, weight, bias], { axis: -1, epsilon: { float: epsilon } });
}

/** x / √(mean(x²) + ε) · weight, over the last axis. */
export function rmsNorm(net: Network, module: string, x: string, size: number, epsilon: number): string {
  const squares = net.op(module, 'Mul', [x, x]);
  const mean = net.op(module, 'ReduceMean', [squares, net.g.ints([-1])], { keepdims: 1 });
  const root = net.op(module, 'Sqrt', [net.op(module, 'Add', [mean, net.float(epsilon)])]);
  const scaled = net.op(module, 'Div', [x, root]);
  return net.op(module, 'Mul', [net.weight(`${module}.weight`, [size]), scaled]);
}
