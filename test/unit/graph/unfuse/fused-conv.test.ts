import { describe, expect, it } from 'vitest';
import { bothWays, floats, largestDifference } from './kernel';

const ACTIVATIONS: [string | undefined, number[]][] = [
  ['Relu', []],
  ['Tanh', []],
  ['Sigmoid', []],
  ['LeakyRelu', [0.2]],
  ['Clip', [-0.3, 0.4]],
  ['HardSigmoid', [0.3, 0.4]],
  // A Conv with an Add alone.
  [undefined, []],
];

describe('FusedConv', () => {
  it.each(ACTIVATIONS)("with %s equals ONNX Runtime's kernel", async (activation, params) => {
    const { kernel, plain } = await bothWays({
      op: 'FusedConv',
      inputs: {
        X: floats([2, 4, 5, 6], 1),
        W: floats([6, 2, 3, 3], 2, { constant: true }),
        B: floats([6], 3, { constant: true }),
        Z: activation === 'Relu' || activation === undefined ? floats([2, 6, 3, 3], 4) : undefined,
      },
      attributes: {
        activation,
        activation_params: params.length ? { floats: params } : undefined,
        group: 2,
        kernel_shape: [3, 3],
        pads: [1, 1, 1, 1],
        strides: [2, 2],
      },
    });
    expect(largestDifference(kernel, plain)).toBeLessThan(1e-6);
  });
});
