import type { Config } from '../folder/config';
import type { Network } from './network';

/** Emits an activation of x. */
export type Activation = (net: Network, module: string, x: string) => string;

const gelu =
  (approximate: string): Activation =>
  (net, module, x) =>
    net.op(module, 'Gelu', [x], { approximate });

/** The exact GELU, of parts whose activation is not a setting. */
export const GELU: Activation = gelu('none');

/** Its approximation by a tanh. */
export const TANH_GELU: Activation = gelu('tanh');

const plain =
  (opType: string): Activation =>
  (net, module, x) =>
    net.op(module, opType, [x]);

/** x · sigmoid(x). */
export const SILU: Activation = (net, module, x) =>
  net.op(module, 'Mul', [x, net.op(module, 'Sigmoid', [x])]);

/** x · sigmoid(1.702 x), as in CLIP. */
const quickGelu: Activation = (net, module, x) => {
  const scaled = net.op(module, 'Mul', [x, net.float(1.702)]);
  return net.op(module, 'Mul', [x, net.op(module, 'Sigmoid', [scaled])]);
};

/** Kept between two values: by those activations that are made for few bits. */
const clipped =
  (of: Activation, least: number, most: number): Activation =>
  (net, module, x) =>
    net.op(module, 'Clip', [of(net, module, x), net.float(least), net.float(most)]);

/** max(x, 0)². */
const squaredRelu: Activation = (net, module, x) => {
  const y = net.op(module, 'Relu', [x]);
  return net.op(module, 'Mul', [y, y]);
};

/** (1 + erf((x − µ) / (σ√2))) / 2, with the µ and σ of MEGA. */
const laplace: Activation = (net, module, x) => {
  const centered = net.op(module, 'Sub', [x, net.float(0.707107)]);
  const erf = net.op(module, 'Erf', [
    net.op(module, 'Mul', [centered, net.float(1 / (0.282095 * Math.SQRT2))]),
  ]);
  return net.op(module, 'Mul', [net.op(module, 'Add', [erf, net.float(1)]), net.float(0.5)]);
};

/** Activations by their names in transformers (ACT2FN in activations.py), which has two more: those have weights. */
const ACTIVATIONS: ReadonlyMap<string, Activation> = new Map([
  ['gelu', GELU],
  ['gelu_10', clipped(GELU, -10, 10)],
  ['gelu_accurate', TANH_GELU],
  ['gelu_fast', TANH_GELU],
  ['gelu_new', TANH_GELU],
  ['gelu_python', GELU],
  ['gelu_python_tanh', TANH_GELU],
  ['gelu_pytorch_tanh', TANH_GELU],
  ['laplace', laplace],
  ['leaky_relu', plain('LeakyRelu')],
  ['linear', (_net, _module, x) => x],
  ['mish', plain('Mish')],
  ['quick_gelu', quickGelu],
  ['relu', plain('Relu')],
  ['relu2', squaredRelu],
  ['relu6', clipped(plain('Relu'), 0, 6)],
  ['sigmoid', plain('Sigmoid')],
  ['silu', SILU],
  ['swish', SILU],
  ['tanh', plain('Tanh')],
]);

/**
 * The activation that a setting names.
 *
 * @throws AuroraError 'model' for one that is not implemented
 */
export function activationOf(config: Config, key: string, missing: string): Activation {
  const found = ACTIVATIONS.get(config.text(key, missing));
  if (!found) throw config.unsupported(key, [...ACTIVATIONS.keys()]);
  return found;
}
