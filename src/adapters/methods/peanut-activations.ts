import type { PeanutActivation } from '../../experiment/methods';
import type { GraphBuilder } from '../../graph/builder';

/** A function in the graph and on the host. */
interface Activation {
  node(g: GraphBuilder, x: string, dtype: number): string;
  value(x: number): number;
}

const plain = (opType: string, value: Activation['value']): Activation => ({
  node: (g, x) => g.op(opType, [x]),
  value,
});

/** The functions that PEFT names by `act_fn`, as transformers defines them (activations.py there). */
const ACTIVATIONS: Record<PeanutActivation, Activation> = {
  relu: plain('Relu', relu),
  relu2: {
    node: (g, x) => square(g, g.op('Relu', [x])),
    value: (x) => relu(x) ** 2,
  },
  relu6: {
    node: (g, x, dtype) => g.op('Clip', [x, g.scalar(0, dtype), g.scalar(6, dtype)]),
    value: (x) => Math.min(6, relu(x)),
  },
  leaky_relu: {
    node: (g, x) => g.op('LeakyRelu', [x], { alpha: { float: 0.01 } }),
    value: (x) => (x > 0 ? x : 0.01 * x),
  },
  gelu: plain('Gelu', (x) => (x / 2) * (1 + erf(x * Math.SQRT1_2))),
  gelu_new: tanhGelu(),
  gelu_pytorch_tanh: tanhGelu(),
  quick_gelu: {
    node: (g, x, dtype) => g.op('Mul', [x, g.op('Sigmoid', [g.op('Mul', [x, g.scalar(1.702, dtype)])])]),
    value: (x) => x * sigmoid(1.702 * x),
  },
  silu: silu(),
  swish: silu(),
  mish: plain('Mish', (x) => x * Math.tanh(softplus(x))),
  hardswish: plain('HardSwish', (x) => (x * Math.min(6, relu(x + 3))) / 6),
  tanh: plain('Tanh', Math.tanh),
  sigmoid: plain('Sigmoid', sigmoid),
  linear: { node: (_, x) => x, value: (x) => x },
};

export const activationOf = (name: PeanutActivation): Activation => ACTIVATIONS[name];

function relu(x: number): number {
  return Math.max(0, x);
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

const softplus = (x: number): number => Math.max(0, x) + Math.log1p(Math.exp(-Math.abs(x)));

const square = (g: GraphBuilder, x: string): string => g.op('Mul', [x, x]);

function silu(): Activation {
  return { node: (g, x) => g.op('Mul', [x, g.op('Sigmoid', [x])]), value: (x) => x * sigmoid(x) };
}

function tanhGelu(): Activation {
  return {
    node: (g, x) => g.op('Gelu', [x], { approximate: 'tanh' }),
    value: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))),
  };
}

/** The error function, by a series without cancellation (Abramowitz and Stegun 7.1.6): to about 1e-15. */
function erf(x: number): number {
  const size = Math.abs(x);
  if (size > 6) return Math.sign(x);
  let term = size;
  let sum = size;
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * size * size) / (2 * n + 1);
    sum += term;
  }
  return (Math.sign(x) * 2 * Math.exp(-size * size) * sum) / Math.sqrt(Math.PI);
}
