import type { Config } from '../folder/config';
import type { Network } from './network';

/** Emits an activation of x. */
export type Activation = (net: Network, module: string, x: string) => string;

const gelu =
  (approximate: string): Activation =>
  (net, module, x) =>
    net.op(module, 'Gelu', [x], { approximate });

const plain =
  (opType: string): Activation =>
  (net, module, x) =>
    net.op(module, opType, [x]);

const silu: Activation = (net, module, x) => net.op(module, 'Mul', [x, net.op(module, 'Sigmoid', [x])]);

/** x · sigmoid(1.702 x), as in CLIP. */
const quickGelu: Activation = (net, module, x) => {
  const scaled = net.op(module, 'Mul', [x, net.float(1.702)]);
  return net.op(module, 'Mul', [x, net.op(module, 'Sigmoid', [scaled])]);
};

/** By their names in transformers (ACT2FN in activations.py). */
const ACTIVATIONS: ReadonlyMap<string, Activation> = new Map([
  ['gelu', gelu('none')],
  ['gelu_python', gelu('none')],
  ['gelu_new', gelu('tanh')],
  ['gelu_fast', gelu('tanh')],
  ['gelu_accurate', gelu('tanh')],
  ['gelu_python_tanh', gelu('tanh')],
  ['gelu_pytorch_tanh', gelu('tanh')],
  ['quick_gelu', quickGelu],
  ['relu', plain('Relu')],
  ['silu', silu],
  ['swish', silu],
  ['tanh', plain('Tanh')],
  ['sigmoid', plain('Sigmoid')],
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
