import { DType } from '../../graph/dtype';
import { fewBitsProduct } from './few-bits';
import type { Network } from './network';

/** Sizes of a linear layer. */
export interface LinearSize {
  from: number;
  to: number;
  bias?: boolean;
  /** True if its name is that in the task model: a head's. */
  fromTop?: boolean;
  /** True for a router: it is no linear layer in transformers, and quantizers of linear layers leave it in floats. */
  router?: boolean;
}

/** nn.Linear on x (tokens, from): (tokens, to). Its weight stays as it is stored, (to, from), or in few bits. */
export function linear(
  net: Network,
  module: string,
  x: string,
  { from, to, bias = true, fromTop, router }: LinearSize,
): string {
  if (!fromTop && !router) net.weights.requireQuantized(module);
  const packed = net.weights.packed(`${module}.weight`, [to, from], fromTop);
  const product = packed && fewBitsProduct(net, module, x, [to, from], packed);
  if (product !== undefined)
    return bias ? net.op(module, 'Add', [product, net.weight(`${module}.bias`, [to], fromTop)]) : product;
  const weight = net.weight(`${module}.weight`, [to, from], fromTop);
  const inputs = [x, weight, ...(bias ? [net.weight(`${module}.bias`, [to], fromTop)] : [])];
  return net.op(module, 'Gemm', inputs, { transB: 1 });
}

/** transformers' Conv1D on x (tokens, from): a linear layer whose weight is stored as (from, to); in few bits, as (to, from). */
export function conv1d(net: Network, module: string, x: string, size: LinearSize): string {
  const { from, to } = size;
  net.weights.requireQuantized(module);
  if (net.weights.packed(`${module}.weight`, [to, from])) return linear(net, module, x, size);
  const inputs = [net.weight(`${module}.weight`, [from, to]), net.weight(`${module}.bias`, [to])];
  return net.op(module, 'Gemm', [x, ...inputs]);
}

/**
 * (x − mean) / √(variance + ε) · weight + bias, over the last axis.
 *
 * @param fromTop true if its name is that in the task model
 * @param plus added to the weight: 1 in Nemotron
 */
export function layerNorm(
  net: Network,
  module: string,
  x: string,
  size: number,
  epsilon: number,
  { bias = true, fromTop = false, plus = 0 } = {},
): string {
  const weight = net.weight(`${module}.weight`, [size], fromTop);
  const scale = plus === 0 ? weight : net.op(module, 'Add', [weight, net.float(plus)]);
  const inputs = [x, scale, ...(bias ? [net.weight(`${module}.bias`, [size], fromTop)] : [])];
  return net.op(module, 'LayerNormalization', inputs, { axis: -1, epsilon: { float: epsilon } });
}

/** A layer norm that has neither weight nor bias. */
export function bareLayerNorm(
  net: Network,
  module: string,
  x: string,
  size: number,
  epsilon: number,
): string {
  const ones = net.g.constant(DType.float, [size], new Array<number>(size).fill(1));
  return net.op(module, 'LayerNormalization', [x, ones], { axis: -1, epsilon: { float: epsilon } });
}

/**
 * x / √(mean(x²) + ε) · weight, over the last axis.
 *
 * @param plus added to the weight: 1 in Gemma
 */
export function rmsNorm(
  net: Network,
  module: string,
  x: string,
  size: number,
  epsilon: number,
  plus = 0,
): string {
  const squares = net.op(module, 'Mul', [x, x]);
  const mean = net.op(module, 'ReduceMean', [squares, net.g.ints([-1])], { keepdims: 1 });
  const root = net.op(module, 'Sqrt', [net.op(module, 'Add', [mean, net.float(epsilon)])]);
  const scaled = net.op(module, 'Div', [x, root]);
  const weight = net.weight(`${module}.weight`, [size]);
  const factor = plus === 0 ? weight : net.op(module, 'Add', [weight, net.float(plus)]);
  return net.op(module, 'Mul', [factor, scaled]);
}

/** A norm of x (…, size) over its last axis. */
export type Norm = (net: Network, module: string, x: string, size: number) => string;

/**
 * A norm of queries or keys over the features of a head: x (batch, heads, sequence, width), `width` and the number of
 * heads. A plain norm does the same for each head.
 */
export type HeadNorm = (net: Network, module: string, x: string, width: number, heads: number) => string;

/** The RMS norm that all layers of a model have. */
export const rmsNormOf =
  (epsilon: number, plus = 0): Norm =>
  (net, module, x, size) =>
    rmsNorm(net, module, x, size, epsilon, plus);
