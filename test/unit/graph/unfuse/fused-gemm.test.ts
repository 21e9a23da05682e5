import { describe, expect, it } from 'vitest';
import { bothWays, floats, largestDifference } from './kernel';

const float = (value: number) => ({ float: value });

describe('FusedGemm', () => {
  it.each([
    ['Relu', {}],
    ['Tanh', {}],
    ['Sigmoid', {}],
    ['Softplus', {}],
    ['Softsign', {}],
    ['Elu', { activation_alpha: float(0.7) }],
    ['LeakyRelu', { activation_alpha: float(0.2) }],
    ['ThresholdedRelu', { activation_alpha: float(0.2) }],
    ['Selu', { activation_alpha: float(1.6), activation_gamma: float(1.1) }],
    ['HardSigmoid', { activation_alpha: float(0.3), activation_beta: float(0.4) }],
  ])("with %s equals ONNX Runtime's kernel", async (activation, parameters) => {
    const { kernel, plain } = await bothWays({
      op: 'FusedGemm',
      inputs: {
        A: floats([4, 3], 1),
        B: floats([5, 4], 2, { constant: true }),
        C: floats([5], 3, { constant: true }),
      },
      attributes: { activation, ...parameters, transA: 1, transB: 1, alpha: float(1.5), beta: float(0.5) },
    });
    expect(largestDifference(kernel, plain)).toBeLessThan(1e-6);
  });
});
